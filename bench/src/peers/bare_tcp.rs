//! The limit of fan-out on this machine: one epoll loop, one `write` of the same bytes to each
//! connection. It has no HTTP to speak of, no authorization, no bounds and no heartbeat.

use std::collections::HashMap;
use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use memchr::memmem;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};

/// Bytes around the data.
pub const FRAMING: usize = "event: settlement.status_changed\ndata: \n\n".len();
const LISTENER: Token = Token(usize::MAX);
const STREAM: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n";
const DONE: &[u8] = b"HTTP/1.1 204 No Content\r\n\r\n";

#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    /// What of a request has arrived.
    request: Vec<u8>,
    /// What could not be written yet.
    unwritten: Vec<u8>,
    topic: Option<String>,
}

#[derive(Debug)]
struct Server {
    poll: Poll,
    connections: Vec<Option<Connection>>,
    free: Vec<usize>,
    topics: HashMap<String, Vec<usize>>,
    /// Events that wait to be written together, by topic.
    gathered: HashMap<String, Vec<u8>>,
    gather: Duration,
    write_at: Option<Instant>,
}

/// Serves until it is killed.
///
/// # Errors
/// It could not listen.
pub fn run(address: SocketAddr, gather_ms: u64) -> anyhow::Result<()> {
    // mio listens with a backlog of 1,024; the generator has fewer connections waiting.
    let mut listener = TcpListener::bind(address)?;
    let poll = Poll::new()?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut server = Server {
        poll,
        connections: Vec::new(),
        free: Vec::new(),
        topics: HashMap::new(),
        gathered: HashMap::new(),
        gather: Duration::from_millis(gather_ms),
        write_at: None,
    };
    let mut events = Events::with_capacity(1024);
    loop {
        let wait = server.write_at.map(|at| at.saturating_duration_since(Instant::now()));
        match server.poll.poll(&mut events, wait) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            polled => polled?,
        }
        if server.write_at.is_some_and(|at| at <= Instant::now()) {
            server.write_gathered();
        }
        for event in &events {
            if event.token() == LISTENER {
                server.accept(&listener)?;
            } else {
                server.serve(event.token().0, event.is_writable());
            }
        }
    }
}

impl Server {
    fn accept(&mut self, listener: &TcpListener) -> io::Result<()> {
        loop {
            let mut stream = match listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            };
            stream.set_nodelay(true)?;
            let place = self.free.pop().unwrap_or_else(|| {
                self.connections.push(None);
                self.connections.len() - 1
            });
            self.poll.registry().register(&mut stream, Token(place), Interest::READABLE)?;
            self.connections[place] =
                Some(Connection { stream, request: Vec::new(), unwritten: Vec::new(), topic: None });
        }
    }

    fn serve(&mut self, place: usize, writable: bool) {
        let Some(mut connection) = self.connections.get_mut(place).and_then(Option::take) else { return };
        let mut alive = !writable || self.write_rest(&mut connection, place);
        let mut publishes = Vec::new();
        alive = alive && self.read(&mut connection, place, &mut publishes);
        if alive {
            self.connections[place] = Some(connection);
        } else {
            self.forget(&connection, place);
        }
        for (topic, frame) in publishes {
            self.publish(topic, &frame);
        }
    }

    /// False at the end of the connection.
    fn read(
        &mut self,
        connection: &mut Connection,
        place: usize,
        publishes: &mut Vec<(String, Vec<u8>)>,
    ) -> bool {
        let mut buffer = [0; 4096];
        loop {
            match connection.stream.read(&mut buffer) {
                Ok(0) => return false,
                Ok(read) => connection.request.extend_from_slice(&buffer[..read]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return false,
            }
        }
        while let Some(request) = take_request(&mut connection.request) {
            match request {
                Request::Subscribe(topic) => {
                    self.topics.entry(topic.clone()).or_default().push(place);
                    connection.topic = Some(topic);
                    if connection.stream.write_all(STREAM).is_err() {
                        return false;
                    }
                }
                Request::Publish(topic, data) => {
                    let mut frame = b"event: settlement.status_changed\ndata: ".to_vec();
                    frame.extend_from_slice(&data);
                    frame.extend_from_slice(b"\n\n");
                    publishes.push((topic, frame));
                    if connection.stream.write_all(DONE).is_err() {
                        return false;
                    }
                }
            }
        }
        // A reader has nothing more to say; its buffer is given back.
        if connection.topic.is_some() {
            connection.request = Vec::new();
        }
        true
    }

    fn publish(&mut self, topic: String, frame: &[u8]) {
        if self.gather.is_zero() {
            self.write_to_all(&topic, frame);
        } else {
            self.gathered.entry(topic).or_default().extend_from_slice(frame);
            self.write_at.get_or_insert_with(|| Instant::now() + self.gather);
        }
    }

    fn write_gathered(&mut self) {
        self.write_at = None;
        for (topic, frames) in std::mem::take(&mut self.gathered) {
            self.write_to_all(&topic, &frames);
        }
    }

    fn write_to_all(&mut self, topic: &str, bytes: &[u8]) {
        let registry = self.poll.registry();
        for &place in self.topics.get(topic).into_iter().flatten() {
            let Some(connection) = self.connections.get_mut(place).and_then(Option::as_mut) else { continue };
            let written = if connection.unwritten.is_empty() {
                match connection.stream.write(bytes) {
                    Ok(written) => written,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
                    // Its end is told by epoll.
                    Err(_) => continue,
                }
            } else {
                0
            };
            if written < bytes.len() {
                let was_empty = connection.unwritten.is_empty();
                connection.unwritten.extend_from_slice(&bytes[written..]);
                if was_empty {
                    let both = Interest::READABLE | Interest::WRITABLE;
                    let _ = registry.reregister(&mut connection.stream, Token(place), both);
                }
            }
        }
    }

    fn write_rest(&mut self, connection: &mut Connection, place: usize) -> bool {
        while !connection.unwritten.is_empty() {
            match connection.stream.write(&connection.unwritten) {
                Ok(written) => drop(connection.unwritten.drain(..written)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return true,
                Err(_) => return false,
            }
        }
        self.poll.registry().reregister(&mut connection.stream, Token(place), Interest::READABLE).is_ok()
    }

    fn forget(&mut self, connection: &Connection, place: usize) {
        if let Some(readers) = connection.topic.as_ref().and_then(|topic| self.topics.get_mut(topic)) {
            readers.retain(|reader| *reader != place);
        }
        self.free.push(place);
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Request {
    Subscribe(String),
    Publish(String, Vec<u8>),
}

/// Takes the first request that has arrived whole.
fn take_request(bytes: &mut Vec<u8>) -> Option<Request> {
    let head_end = memmem::find(bytes, b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&bytes[..head_end]).into_owned();
    let path = head.split(' ').nth(1).unwrap_or_default();
    let topic = path.split_once("topic=").map(|(_, topic)| topic.to_owned()).unwrap_or_default();
    if head.starts_with("GET ") {
        bytes.drain(..head_end);
        return Some(Request::Subscribe(topic));
    }
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("Content-Length: "))
        .and_then(|length| length.parse::<usize>().ok())
        .unwrap_or(0);
    if bytes.len() < head_end + length {
        return None;
    }
    let data = bytes[head_end..head_end + length].to_vec();
    bytes.drain(..head_end + length);
    Some(Request::Publish(topic, data))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_taken_when_they_are_whole() {
        let mut bytes = b"POST /publish?topic=3 HTTP/1.1\r\nContent-Length: 2\r\n\r\n{".to_vec();
        assert_eq!(take_request(&mut bytes), None);
        bytes.extend_from_slice(b"}GET /events HTTP/1.1\r\n\r\n");
        assert_eq!(take_request(&mut bytes), Some(Request::Publish("3".to_owned(), b"{}".to_vec())));
        assert_eq!(take_request(&mut bytes), Some(Request::Subscribe(String::new())));
        assert_eq!(take_request(&mut bytes), None);
        assert!(bytes.is_empty());
    }
}
