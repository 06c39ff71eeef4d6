// The floor: the fewest system calls in which epoll lets a fixed answer be given. It reads no request: it counts empty lines and
// looks for "onnection: close". What a server needs above this is its own doing; what it cannot get below is the kernel's.
//
//   floor PORT ANSWER LAST     files with the answer to send, and the one to send before closing
//
// One thread, edge-triggered. The kernel announces a connection once a request is there (TCP_DEFER_ACCEPT), which is received
// before the connection is registered, and the FIN travels in the segment of the last answer (MSG_MORE, then shutdown).
#define _GNU_SOURCE
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ANSWER_MAX = 4096, BATCH_MAX = 256, ACCEPTS_MAX = 64, EVENTS_MAX = 512, BACKLOG = 4096 };

static char answers[BATCH_MAX * ANSWER_MAX], last[ANSWER_MAX], input[32768];
static size_t answer_length, last_length;

static size_t load(const char *path, char *bytes) {
  FILE *file = fopen(path, "rb");
  size_t length = file ? fread(bytes, 1, ANSWER_MAX, file) : 0;
  if (length == 0) { perror(path); exit(1); }
  fclose(file);
  return length;
}

// Answers what one receive brings. Returns 1 where the connection was closed.
static int serve(int connection) {
  ssize_t length = recv(connection, input, sizeof input, 0);
  if (length <= 0) {
    if (length == 0) close(connection);
    return length == 0;
  }
  if (memmem(input, (size_t)length, "onnection: close", 16)) {
    send(connection, last, last_length, MSG_NOSIGNAL | MSG_MORE);
    shutdown(connection, SHUT_WR);
    close(connection);
    return 1;
  }
  size_t requests = 0;
  char *end = input + length;
  for (char *at = input; requests < BATCH_MAX && (at = memmem(at, (size_t)(end - at), "\r\n\r\n", 4)); at += 4) requests++;
  send(connection, answers, requests * answer_length, MSG_NOSIGNAL);
  return 0;
}

static int listen_at(int port) {
  int on = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(listener, IPPROTO_TCP, TCP_DEFER_ACCEPT, &on, sizeof on);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, BACKLOG)) { perror("floor"); exit(1); }
  return listener;
}

static void accept_some(int epoll, int listener) {
  for (int count = 0; count < ACCEPTS_MAX; count++) {
    int connection = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (connection < 0) return;
    if (serve(connection)) continue;
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.fd = connection};
    epoll_ctl(epoll, EPOLL_CTL_ADD, connection, &event);
  }
}

int main(int count, char **arguments) {
  if (count != 4) { fprintf(stderr, "usage: floor PORT ANSWER LAST\n"); return 2; }
  answer_length = load(arguments[2], answers);
  for (int copy = 1; copy < BATCH_MAX; copy++) memcpy(answers + (size_t)copy * answer_length, answers, answer_length);
  last_length = load(arguments[3], last);
  int listener = listen_at(atoi(arguments[1])), epoll = epoll_create1(EPOLL_CLOEXEC);
  // Level-triggered: what one turn does not accept is announced again.
  struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[EVENTS_MAX];
  epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
  for (;;) {
    int ready = epoll_wait(epoll, events, EVENTS_MAX, -1), accepts = 0;
    for (int index = 0; index < ready; index++) {
      if (events[index].data.fd == listener) accepts = 1; else serve(events[index].data.fd);
    }
    if (accepts) accept_some(epoll, listener);
  }
}
