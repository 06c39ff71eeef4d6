// The load of the growth benches, on one thread.
//
//   load closed PORT FILE OPEN USED FLIGHT DEPTH COUNT    COUNT requests over USED of OPEN connections, FLIGHT of them busy at a time,
//                                                         DEPTH requests in a write; "open" is printed once all have asked once,
//                                                         and a line on stdin starts the count
//   load open PORT FILE CLIENTS RATE SECONDS fresh|kept   RATE requests a second, sent when they are due, however late the answers are:
//                                                         each on a connection of its own, or on its client's
//   load hog PERCENT SECONDS                              takes that share of its processor away from everybody else, in steps of 1 ms
//
// FILE is the request. Each client has an address of its own, from 127.0.1.100 on: they are equally long, and so are the answers.
// Every answer must be a 200 and as long as the first one. Prints a line of JSON; latencies are in microseconds, in `open` from the
// time at which the request was due.
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { FDS_MAX = 65536, REQUEST_MAX = 32768, DEPTH_MAX = 128, INPUT_MAX = 1 << 20, EVENTS_MAX = 512, BURST_MAX = 64, ADDRESSES = 64, LATENCIES_MAX = 1 << 24 };
// 127.0.1.100.
static const unsigned FIRST_ADDRESS = 0x7f000164u;
// How long a client waits on a connection of its own before it gives up. A SYN that was lost is sent again after as long.
static const double PATIENCE = 1.0;
// The share of a run at open loop that is not counted, because queues are still filling.
static const double WARM_UP = 0.25;

static struct { int is_open, is_busy, client; long serial; size_t got; double due; } state[FDS_MAX];
static char request[REQUEST_MAX * DEPTH_MAX], input[INPUT_MAX];
static size_t request_length, answer_length;
static struct sockaddr_in server = {.sin_family = AF_INET};
static int epoll;
static float *latencies;
static long latency_count, errors, answers_of[ADDRESSES];

static void fail(const char *what) { fprintf(stderr, "load: %s: %s\n", what, errno ? strerror(errno) : "not as it should be"); exit(1); }

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static void read_request(const char *path, int depth) {
  FILE *file = fopen(path, "rb");
  if (!file) fail(path);
  request_length = fread(request, 1, REQUEST_MAX, file);
  fclose(file);
  for (int copy = 1; copy < depth; copy++) memcpy(request + (size_t)copy * request_length, request, request_length);
  request_length *= (size_t)depth;
}

// A connection from the client's address; -1 if there are no more descriptors.
static int connect_as(int client) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;
  if (fd < 0 || fd >= FDS_MAX) { if (fd >= 0) close(fd); return -1; }
  struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(FIRST_ADDRESS + (unsigned)client)};
  setsockopt(fd, IPPROTO_IP, 24 /* IP_BIND_ADDRESS_NO_PORT */, &on, sizeof on);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (bind(fd, (void *)&from, sizeof from)) fail("bind");
  if (connect(fd, (void *)&server, sizeof server) && errno != EINPROGRESS) { close(fd); return -1; }
  state[fd] = (typeof(state[0])){.is_open = 1, .client = client};
  return fd;
}

static void watch(int fd, unsigned events) {
  struct epoll_event event = {.events = events, .data.fd = fd};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) && epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event)) fail("epoll_ctl");
}

static void let_go(int fd) { state[fd].is_open = 0; close(fd); }

// The whole length of an answer from its head; 0 while it is not there.
static size_t length_of(const char *answer, size_t got) {
  char *end = memmem(answer, got, "\r\n\r\n", 4);
  if (!end) return 0;
  for (const char *line = answer; line < end; line = strstr(line, "\r\n") + 2)
    if (!strncasecmp(line, "content-length:", 15)) return (size_t)(end + 4 - answer) + strtoul(line + 15, NULL, 10);
  errno = 0;
  fail("an answer without Content-Length");
  return 0;
}

// Every answer that begins in these bytes must be a 200.
static int is_good(int fd, size_t length) {
  size_t inside = state[fd].got % answer_length, at = inside ? answer_length - inside : 0;
  for (; at + 12 <= length; at += answer_length)
    if (memcmp(input + at, "HTTP/1.1 200", 12)) return 0;
  return 1;
}

// Takes what has arrived. Returns 1 once `expected` answers are there, 0 if not, -1 if the connection is of no use any more.
static int take(int fd, size_t expected) {
  ssize_t length = recv(fd, input, sizeof input - 1, 0);
  if (length < 0 && errno == EAGAIN) return 0;
  if (length <= 0) return -1;
  input[length] = 0;
  if (!answer_length && !(answer_length = length_of(input, (size_t)length))) return -1;
  if (!is_good(fd, (size_t)length)) return -1;
  state[fd].got += (size_t)length;
  if (state[fd].got < expected * answer_length) return 0;
  state[fd].got = 0;
  return 1;
}

static void send_request(int fd) {
  state[fd].due = now();
  state[fd].is_busy = 1;
  if (send(fd, request, request_length, MSG_NOSIGNAL) != (ssize_t)request_length) fail("send");
}

static void answered(double due, int client) {
  if (latency_count < LATENCIES_MAX) latencies[latency_count++] = (float)((now() - due) * 1e6);
  answers_of[client % ADDRESSES]++;
}

static int ascending(const void *left, const void *right) {
  float a = *(const float *)left, b = *(const float *)right;
  return (a > b) - (a < b);
}

static double percentile(double share) { return latency_count ? latencies[(long)((double)(latency_count - 1) * share)] : 0; }

static void report(long sent, double seconds, long late, long unsent, int clients) {
  qsort(latencies, (size_t)latency_count, sizeof *latencies, ascending);
  printf("{\"sent\": %ld, \"seconds\": %f, \"errors\": %ld, \"late\": %ld, \"unsent\": %ld, \"p50\": %.1f, \"p99\": %.1f, \"p99.9\": %.1f, \"clients\": [",
         sent, seconds, errors, late, unsent, percentile(0.5), percentile(0.99), percentile(0.999));
  for (int client = 0; client < clients; client++) printf("%s%ld", client ? ", " : "", answers_of[client]);
  puts("]}");
}

static int wait_for(int fd, unsigned events) {
  struct epoll_event event;
  watch(fd, events);
  return epoll_wait(epoll, &event, 1, 5000) == 1;
}

// Opens connections one after the other; each asks once, since a server may not accept a silent one.
static void open_all(int *fds, int count, int depth) {
  for (int index = 0; index < count; index++) {
    int fd = fds[index] = connect_as(index % ADDRESSES), done = 0;
    if (fd < 0 || !wait_for(fd, EPOLLOUT)) fail("connect");
    send_request(fd);
    while (!done) done = wait_for(fd, EPOLLIN) ? take(fd, (size_t)depth) : -1;
    if (done < 0) { errno = 0; fail("the first answer"); }
    state[fd].is_busy = 0;
  }
}

// Starts the next connection that is not busy.
static void start_next(int *fds, int used) {
  static int cursor;
  for (int tries = 0; tries < used; tries++) {
    int fd = fds[cursor++ % used];
    if (cursor >= used) cursor = 0;
    if (!state[fd].is_busy) { send_request(fd); return; }
  }
}

static void closed(char **arguments) {
  int open = atoi(arguments[0]), used = atoi(arguments[1]), flight = atoi(arguments[2]), depth = atoi(arguments[3]);
  long wanted = atol(arguments[4]), finished = 0, started = 0;
  if (depth > DEPTH_MAX || used > open || flight > used) { errno = 0; fail("the numbers"); }
  int *fds = calloc((size_t)open, sizeof *fds), *busy = calloc((size_t)used, sizeof *busy);
  open_all(fds, open, depth);
  // Those used lie evenly among the idle ones.
  for (int index = 0; index < used; index++) busy[index] = fds[(long)index * open / used];
  puts("open");
  fflush(stdout);
  if (getchar() == EOF) return;
  double began = now();
  for (; started < flight; started++) start_next(busy, used);
  struct epoll_event events[EVENTS_MAX];
  while (finished * depth < wanted) {
    int ready = epoll_wait(epoll, events, EVENTS_MAX, 5000);
    if (ready <= 0) { errno = 0; fail("no answer for 5 seconds"); }
    for (int index = 0; index < ready; index++) {
      int fd = events[index].data.fd, done = take(fd, (size_t)depth);
      if (done < 0) { errno = 0; fail("an answer"); }
      if (!done) continue;
      answered(state[fd].due, state[fd].client);
      state[fd].is_busy = 0;
      finished++;
      if (started * depth < wanted) { start_next(busy, used); started++; }
    }
  }
  for (int client = 0; client < ADDRESSES; client++) answers_of[client] *= depth;
  report(started * depth, now() - began, 0, 0, ADDRESSES);
}

struct pace { int clients; double began, interval, counted_from, until; long started, late, unsent; };

// When the request with this number is due.
static double due_at(const struct pace *pace, long number) { return pace->began + (double)number * pace->interval; }

static void finish(const struct pace *pace, int fd) {
  double time = now();
  if (time >= pace->counted_from && time < pace->until) answered(state[fd].due, state[fd].client);
}

static int drop_one(int fd) { errors++; let_go(fd); return -1; }

// One request on a connection of its own; -1 if there is none any more.
static int ask_fresh(struct pace *pace, long number) {
  int fd = connect_as((int)(number % pace->clients));
  if (fd < 0) { pace->unsent++; return -1; }
  state[fd].due = due_at(pace, number);
  state[fd].serial = number;
  // Over loopback the handshake is usually complete by now.
  int sent = send(fd, request, request_length, MSG_NOSIGNAL) == (ssize_t)request_length;
  if (!sent && errno != EAGAIN && errno != ENOTCONN && errno != EINPROGRESS) return drop_one(fd);
  watch(fd, sent ? EPOLLIN : EPOLLOUT);
  return fd;
}

static void on_fresh(struct pace *pace, const struct epoll_event *event) {
  int fd = event->data.fd;
  if (event->events & EPOLLOUT) {
    if (send(fd, request, request_length, MSG_NOSIGNAL) == (ssize_t)request_length) watch(fd, EPOLLIN);
    else drop_one(fd);
    return;
  }
  int done = take(fd, 1);
  if (done > 0) { finish(pace, fd); let_go(fd); }
  if (done < 0) drop_one(fd);
}

// Gives up on those that have waited for too long; they are in the order in which they were due.
static void give_up(struct pace *pace, const int *fds, long *oldest) {
  for (; *oldest < pace->started && due_at(pace, *oldest) + PATIENCE < now(); ++*oldest) {
    int fd = fds[*oldest % FDS_MAX];
    if (fd < 0 || !state[fd].is_open || state[fd].serial != *oldest) continue;
    pace->late++;
    let_go(fd);
  }
}

static void run_fresh(struct pace *pace) {
  static int fds[FDS_MAX];
  long oldest = 0;
  struct epoll_event events[EVENTS_MAX];
  while (now() < pace->until) {
    for (int burst = 0; burst < BURST_MAX && due_at(pace, pace->started) <= now(); burst++, pace->started++)
      fds[pace->started % FDS_MAX] = ask_fresh(pace, pace->started);
    int ready = epoll_wait(epoll, events, EVENTS_MAX, 0);
    for (int index = 0; index < ready; index++) on_fresh(pace, &events[index]);
    give_up(pace, fds, &oldest);
  }
}

// Each client asks on its one connection, and waits for the answer before it asks again; what was due meanwhile is late from then on.
static void run_kept(struct pace *pace) {
  int fds[ADDRESSES];
  open_all(fds, pace->clients, 1);
  struct epoll_event events[EVENTS_MAX];
  // Time runs from here on.
  double opened = now() - pace->began;
  pace->began += opened, pace->counted_from += opened, pace->until += opened;
  while (now() < pace->until) {
    for (int client = 0; client < pace->clients; client++) {
      int fd = fds[client];
      double due = due_at(pace, state[fd].serial * pace->clients + client);
      if (state[fd].is_busy || due > now()) continue;
      send_request(fd);
      state[fd].due = due;
      state[fd].serial++;
      pace->started++;
    }
    int ready = epoll_wait(epoll, events, EVENTS_MAX, 0);
    for (int index = 0; index < ready; index++) {
      int fd = events[index].data.fd, done = take(fd, 1);
      if (done < 0) { errno = 0; fail("an answer"); }
      if (done == 0) continue;
      state[fd].is_busy = 0;
      finish(pace, fd);
    }
  }
}

static void open_loop(char **arguments) {
  double seconds = atof(arguments[2]);
  struct pace pace = {.clients = atoi(arguments[0]), .began = now(), .interval = 1 / atof(arguments[1])};
  if (pace.clients < 1 || pace.clients > ADDRESSES) { errno = 0; fail("the numbers"); }
  pace.until = pace.began + seconds;
  pace.counted_from = pace.began + WARM_UP * seconds;
  if (!strcmp(arguments[3], "fresh")) run_fresh(&pace); else run_kept(&pace);
  report(pace.started, (1 - WARM_UP) * seconds, pace.late, pace.unsent, pace.clients);
}

static void hog(double share, double until) {
  struct sched_param priority = {.sched_priority = 1};
  if (sched_setscheduler(0, SCHED_FIFO, &priority)) fail("sched_setscheduler");
  for (double step = now(); step < until; step += 1e-3) {
    while (now() < step + share * 1e-3);
    struct timespec next = {.tv_sec = (time_t)(step + 1e-3), .tv_nsec = (long)((step + 1e-3 - (double)(time_t)(step + 1e-3)) * 1e9)};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
  }
}

int main(int count, char **arguments) {
  if (count == 4 && !strcmp(arguments[1], "hog")) { hog(atof(arguments[2]) / 100, now() + atof(arguments[3])); return 0; }
  int is_closed = count == 9 && !strcmp(arguments[1], "closed"), is_open = count == 8 && !strcmp(arguments[1], "open");
  if (!is_closed && !is_open) { fprintf(stderr, "load: see the comment at the top of load.c\n"); return 2; }
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  server.sin_port = htons((uint16_t)atoi(arguments[2]));
  server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  read_request(arguments[3], is_closed ? atoi(arguments[7]) : 1);
  latencies = malloc(LATENCIES_MAX * sizeof *latencies);
  epoll = epoll_create1(0);
  if (is_closed) closed(arguments + 4); else open_loop(arguments + 4);
}
