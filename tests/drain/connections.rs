//! What becomes of the connections when nobody listens any more.

use super::support::{Answer, TestServer};
use super::{Client, GET, until_closed};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use std::io::Write;
use std::net::Shutdown;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};
use swagip::net::{Order, Threads};

/// A server whose listeners are closed at the word, and then all that is in flight has as long as a test may take.
fn server(threads: usize) -> TestServer {
    TestServer::with(|settings| {
        settings.limits.drain_grace = Duration::ZERO;
        settings.limits.drain_timeout = super::PATIENCE;
        settings.threads = Threads::Spread(NonZeroUsize::new(threads).unwrap());
    })
}

fn close_listeners(server: &TestServer) {
    server.stopper().stop(Order::Drain);
    until_closed(server.address);
}

#[test]
fn idle_connections_end_oldest_first() {
    let server = server(1);
    let mut clients: Vec<Client> = (0..60).map(|_| Client::idle(server.address)).collect();
    // Another order than that in which they came.
    let order: Vec<usize> = (0..60).map(|index| index * 17 % 60).collect();
    for &index in &order {
        assert!(clients[index].ask(GET).unwrap().is_right());
    }
    // The kernel tells of events in the order in which they come.
    let mut poll = Poll::new().unwrap();
    let mut streams: Vec<TcpStream> = clients
        .iter()
        .map(|client| {
            client.stream.set_nonblocking(true).unwrap();
            TcpStream::from_std(client.stream.try_clone().unwrap())
        })
        .collect();
    for (index, stream) in streams.iter_mut().enumerate() {
        poll.registry().register(stream, Token(index), Interest::READABLE).unwrap();
    }
    server.stopper().stop(Order::Drain);
    let mut events = Events::with_capacity(100);
    let mut ended = Vec::new();
    let deadline = Instant::now() + super::PATIENCE;
    while ended.len() < order.len() && Instant::now() < deadline {
        poll.poll(&mut events, Some(Duration::from_millis(100))).unwrap();
        for index in events.iter().filter(|event| event.is_read_closed()).map(|event| event.token().0) {
            // A FIN wakes twice, by the change of state and by the end of the data: the first report counts.
            if !ended.contains(&index) {
                ended.push(index);
            }
        }
    }
    assert_eq!(ended, order);
    for client in &mut clients {
        client.ends();
    }
}

#[test]
fn what_is_half_sent_is_waited_for() {
    let post = b"POST /ip HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabcdefghi".as_slice();
    for threads in [1, 3] {
        for (request, cut, status) in [(GET, 1, 200), (GET, 20, 200), (GET, GET.len() - 1, 200), (post, 30, 405), (post, 55, 405)]
        {
            let server = server(threads);
            let mut client = Client::new(server.address);
            // By the first answer it is known that the half after it has arrived.
            client.send(&[GET, &request[..cut]].concat());
            assert!(client.answer().unwrap().is_right());
            close_listeners(&server);
            let answer = client.ask(&request[cut..]).unwrap();
            assert_eq!((answer.status, answer.closes()), (status, true), "{cut}");
            client.ends();
            server.join();
        }
    }
}

/// Some of the requests have been read, some wait in the server's kernel because nobody takes their answers, and what that has
/// no room for is still with the client, which is owed nothing for it.
#[test]
fn a_reader_who_reads_late_gets_the_answers_to_all_that_has_arrived() {
    const COUNT: usize = 20_000;
    for threads in [1, 3] {
        let server = server(threads);
        let mut client = Client::idle(server.address);
        client.send(&GET.repeat(COUNT));
        let arrived = (COUNT * GET.len() - unacknowledged(&client)) / GET.len();
        close_listeners(&server);
        let answers = client.rest();
        assert!(answers.len() >= arrived, "{} answers to {arrived} requests", answers.len());
        assert!(answers.iter().all(Answer::is_right));
        let closes = answers.iter().position(Answer::closes).is_none_or(|index| index == answers.len() - 1);
        assert!(closes);
        eprintln!("{arrived} of {COUNT} requests had arrived, {} were answered", answers.len());
        drop(client);
        server.join();
    }
}

/// What a client's kernel keeps of what it sent: the server's has not confirmed it.
fn unacknowledged(client: &Client) -> usize {
    let port = |address: std::io::Result<std::net::SocketAddr>| format!("0100007F:{:04X}", address.unwrap().port());
    let ends = [port(client.stream.local_addr()), port(client.stream.peer_addr())];
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let mut rows = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let row = rows.find(|row| row[1..3] == ends).unwrap();
    usize::from_str_radix(row[4].split_once(':').unwrap().0, 16).unwrap()
}

/// The quarter of a second in which a request may meet the FIN: a turn in which this test was too slow for it says nothing.
#[test]
fn a_request_that_met_the_fin_resets_nothing() {
    let try_it = |_| {
        let server = server(1);
        let mut client = Client::idle(server.address);
        let began = Instant::now();
        server.stopper().stop(Order::Drain);
        client.ends();
        // To a closed socket only the first one of these goes out without an error.
        let outcomes = [(); 3].map(|()| {
            std::thread::sleep(Duration::from_millis(5));
            client.stream.write_all(GET).map_err(|error| error.kind())
        });
        let is_in_time = began.elapsed() < Duration::from_millis(200);
        assert!(!is_in_time || outcomes == [Ok(()); 3], "{outcomes:?}");
        is_in_time
    };
    if !(0..10).any(try_it) {
        eprintln!("not tried: this machine is too slow");
    }
}

/// More answers than one output holds.
#[test]
fn the_last_of_many_answers_closes() {
    let server = server(1);
    let mut client = Client::new(server.address);
    client.send(&[GET, &GET[..20]].concat());
    assert!(client.answer().unwrap().is_right());
    let began = Instant::now();
    close_listeners(&server);
    client.send(&[&GET[20..], GET.repeat(999).as_slice()].concat());
    let answers = client.rest();
    assert!(answers.len() == 1000 && answers.iter().all(Answer::is_right), "{}", answers.len());
    assert_eq!(answers.iter().position(Answer::closes), Some(999));
    drop(client);
    server.join();
    assert!(began.elapsed() < super::PATIENCE / 2, "{:?}", began.elapsed());
}

/// Answers that nobody has read yet survive the server.
#[test]
fn an_answer_outlives_the_server() {
    let server = server(1);
    let mut client = Client::idle(server.address);
    client.send(&[GET, GET, GET].concat());
    client.stream.shutdown(Shutdown::Write).unwrap();
    server.stopper().stop(Order::Drain);
    server.join();
    let answers = client.rest();
    assert!(answers.len() == 3 && answers.iter().all(Answer::is_right));
}
