//! The thread of the readers: one epoll, one buffer, no allocation for what arrives.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, mpsc};

use hdrhistogram::Histogram;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token, Waker};
use socket2::{Domain, Socket, Type};
use tokio::sync::oneshot;

use super::{Counts, Latencies, Reader};
use crate::clock::Clock;
use crate::scanner::{Carry, HEADROOM, Scanner};

/// Bytes of one read.
const READ: usize = 128 * 1024;
/// Connections that wait for their answer at one time, so that no backlog of a listener overflows.
const WAITING: usize = 256;
/// Receive buffer of a reader that does not read: what is held is then held by the server's side.
const SILENT_BUFFER: usize = 4096;
const WAKER: Token = Token(usize::MAX);
/// Largest latency that is told apart: 100 s.
const LONGEST_US: u64 = 100_000_000;

/// What the thread is told to do.
#[derive(Debug)]
pub(super) enum Command {
    Open(Vec<Reader>),
    CloseOldest(usize),
    TakeLatencies(oneshot::Sender<Latencies>),
    Stop,
}

#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    reader: Reader,
    stage: Stage,
    carry: Carry,
}

#[derive(Debug, PartialEq, Eq)]
enum Stage {
    /// The request is to be written once the connection stands.
    Connecting,
    /// The beginning of the answer.
    Asked(Vec<u8>),
    Reading,
}

/// All readers.
#[derive(Debug)]
pub(super) struct Fleet {
    poll: Poll,
    clock: Arc<Clock>,
    counts: Arc<Counts>,
    connections: Vec<Option<Connection>>,
    /// Places in `connections`, oldest first; some may have ended.
    order: VecDeque<usize>,
    free: Vec<usize>,
    to_open: VecDeque<Reader>,
    waiting: usize,
    scanner: Scanner,
    latencies: Latencies,
    buffer: Vec<u8>,
}

fn new_latencies() -> io::Result<Latencies> {
    Histogram::new_with_bounds(1, LONGEST_US, 3).map_err(io::Error::other)
}

impl Fleet {
    pub(super) fn new(counts: Arc<Counts>, clock: Arc<Clock>) -> io::Result<(Self, Waker)> {
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), WAKER)?;
        let fleet = Self {
            poll,
            clock,
            counts,
            connections: Vec::new(),
            order: VecDeque::new(),
            free: Vec::new(),
            to_open: VecDeque::new(),
            waiting: 0,
            scanner: Scanner::default(),
            latencies: new_latencies()?,
            buffer: vec![0; HEADROOM + READ],
        };
        Ok((fleet, waker))
    }

    pub(super) fn run(&mut self, commands: &mpsc::Receiver<Command>) -> io::Result<()> {
        let mut events = Events::with_capacity(1024);
        loop {
            match self.poll.poll(&mut events, None) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                polled => polled?,
            }
            for event in &events {
                if event.token() == WAKER {
                    for command in commands.try_iter() {
                        match command {
                            Command::Open(readers) => self.to_open.extend(readers),
                            Command::CloseOldest(count) => self.close_oldest(count),
                            Command::TakeLatencies(answer) => {
                                let taken = std::mem::replace(&mut self.latencies, new_latencies()?);
                                // Who asked may have been interrupted.
                                let _ = answer.send(taken);
                            }
                            Command::Stop => return Ok(()),
                        }
                    }
                } else {
                    self.serve(event.token().0, event.is_writable(), event.is_read_closed());
                }
            }
            self.open_more();
        }
    }

    fn open_more(&mut self) {
        while self.waiting < WAITING {
            let Some(reader) = self.to_open.pop_front() else { return };
            if let Err(error) = self.open(reader) {
                self.fail(error.to_string());
                return;
            }
        }
    }

    fn open(&mut self, reader: Reader) -> io::Result<()> {
        let mut stream =
            if reader.reads { TcpStream::connect(reader.address)? } else { connect_silent(&reader)? };
        let place = self.free.pop().unwrap_or_else(|| {
            self.connections.push(None);
            self.connections.len() - 1
        });
        self.poll.registry().register(&mut stream, Token(place), Interest::READABLE | Interest::WRITABLE)?;
        self.connections[place] =
            Some(Connection { stream, reader, stage: Stage::Connecting, carry: Carry::default() });
        self.order.push_back(place);
        self.waiting += 1;
        Ok(())
    }

    fn serve(&mut self, place: usize, writable: bool, closed: bool) {
        // What was closed in this very round may still have an event.
        let Some(mut connection) = self.connections.get_mut(place).and_then(Option::take) else { return };
        let mut ended = false;
        if connection.stage == Stage::Connecting && (writable || closed) {
            ended = !self.ask(&mut connection, place);
        }
        if !ended && connection.stage != Stage::Connecting && connection.reader.reads {
            ended = !self.read(&mut connection, closed);
        }
        if ended {
            self.end(connection, place);
        } else {
            self.connections[place] = Some(connection);
        }
    }

    /// Writes the request; false when the connection failed.
    fn ask(&mut self, connection: &mut Connection, place: usize) -> bool {
        match connection.stream.write(&connection.reader.request) {
            // A request is far smaller than an empty send buffer.
            Ok(written) if written == connection.reader.request.len() => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return true,
            Err(error) if error.kind() == ErrorKind::NotConnected => return true,
            Ok(_) => return false,
            Err(error) => {
                self.fail(error.to_string());
                return false;
            }
        }
        connection.stage = Stage::Asked(Vec::new());
        let registry = self.poll.registry();
        if connection.reader.reads {
            // From now on only what arrives may wake the thread.
            return registry.reregister(&mut connection.stream, Token(place), Interest::READABLE).is_ok();
        }
        self.waiting -= 1;
        self.counts.connected.fetch_add(1, Ordering::Relaxed);
        if let Ok(address) = connection.stream.local_addr() {
            self.counts.silent_ports.lock().unwrap_or_else(PoisonError::into_inner).push(address.port());
        }
        connection.stage = Stage::Reading;
        registry.deregister(&mut connection.stream).is_ok()
    }

    /// Reads what is there; false at the end of the stream.
    fn read(&mut self, connection: &mut Connection, closed: bool) -> bool {
        loop {
            let read = match connection.stream.read(&mut self.buffer[HEADROOM..]) {
                Ok(0) => return false,
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return true,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(_) => return false,
            };
            if let Stage::Asked(head) = &mut connection.stage {
                head.extend_from_slice(&self.buffer[HEADROOM..HEADROOM + read]);
                if !self.look_at_head(connection) {
                    return false;
                }
            }
            self.count(&mut connection.carry, read);
            // A short read has emptied the socket: epoll tells when more comes. Not so at the end.
            if read < READ && !closed {
                return true;
            }
        }
    }

    /// False when the server answered anything but a stream.
    fn look_at_head(&mut self, connection: &mut Connection) -> bool {
        let Stage::Asked(head) = &connection.stage else { return true };
        if memchr::memmem::find(head, b"\r\n\r\n").is_none() {
            return true;
        }
        if !head.starts_with(b"HTTP/1.1 200") {
            self.fail(String::from_utf8_lossy(head).chars().take(400).collect());
            return false;
        }
        connection.stage = Stage::Reading;
        self.waiting -= 1;
        self.counts.connected.fetch_add(1, Ordering::Relaxed);
        true
    }

    fn count(&mut self, carry: &mut Carry, read: usize) {
        let now = self.clock.now();
        let mut found = 0;
        let (clock, latencies) = (&self.clock, &mut self.latencies);
        self.scanner.scan(carry, &mut self.buffer, HEADROOM + read, |number| {
            found += 1;
            let micros = u64::try_from(clock.age(number, now).as_micros()).unwrap_or(LONGEST_US);
            latencies.saturating_record(micros.clamp(1, LONGEST_US));
        });
        self.counts.bytes.fetch_add(read as u64, Ordering::Relaxed);
        if found > 0 {
            self.counts.reads.fetch_add(1, Ordering::Relaxed);
            let before = self.counts.deliveries.fetch_add(found, Ordering::Relaxed);
            let mark = self.counts.mark.load(Ordering::Relaxed);
            if before < mark && before + found >= mark {
                self.counts.marked_at.store(now, Ordering::Release);
            }
        }
    }

    fn close_oldest(&mut self, count: usize) {
        let mut left = count;
        while left > 0 {
            let Some(place) = self.order.pop_front() else { return };
            if let Some(connection) = self.connections[place].take() {
                self.forget(connection, place);
                left -= 1;
            }
        }
    }

    fn end(&mut self, connection: Connection, place: usize) {
        self.counts.ended.fetch_add(1, Ordering::Relaxed);
        if connection.stage == Stage::Reading {
            self.order.retain(|other| *other != place);
        } else {
            self.fail("the connection ended before it was answered".to_owned());
        }
        self.forget(connection, place);
    }

    fn forget(&mut self, mut connection: Connection, place: usize) {
        if connection.stage != Stage::Reading {
            self.waiting = self.waiting.saturating_sub(1);
        }
        // Closing the socket does it too; this keeps the registry's own books right.
        let _ = self.poll.registry().deregister(&mut connection.stream);
        self.free.push(place);
    }

    fn fail(&self, why: String) {
        self.counts.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(why);
        self.counts.failed.fetch_add(1, Ordering::Relaxed);
    }
}

/// A connection with the smallest receive buffer there is; it must be set before it stands.
fn connect_silent(reader: &Reader) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(reader.address), Type::STREAM, None)?;
    socket.set_recv_buffer_size(SILENT_BUFFER)?;
    socket.set_nonblocking(true)?;
    match socket.connect(&reader.address.into()) {
        Err(error) if error.raw_os_error() != Some(rustix::io::Errno::INPROGRESS.raw_os_error()) => {
            return Err(error);
        }
        _ => {}
    }
    Ok(TcpStream::from_std(socket.into()))
}
