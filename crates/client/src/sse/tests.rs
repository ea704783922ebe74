//! The standard's rules one by one, and any cut of any bytes.

use super::*;
use proptest::prelude::*;

const LIMIT: usize = 1 << 16;

fn read(pieces: &[&[u8]]) -> Vec<Item> {
    let (mut parser, mut items) = (Parser::new(LIMIT), Vec::new());
    for piece in pieces {
        parser.push(piece, &mut items).expect("within the limit");
    }
    items
}

fn message(name: &str, data: &str, id: &str) -> Item {
    Item::Message(Message { name: name.into(), data: data.into(), last_event_id: id.into() })
}

#[test]
fn reads_what_the_service_sends() {
    let text = "retry: 2500\nid: pos_1\nevent: connected\ndata: {\"a\":1}\n\n\
                id: evt_1\nevent: order.created\ndata: {}\n\nevent: order.paid\ndata: {}\n\n";
    assert_eq!(
        read(&[text.as_bytes()]),
        [
            Item::Retry(2500),
            message("connected", "{\"a\":1}", "pos_1"),
            message("order.created", "{}", "evt_1"),
            message("order.paid", "{}", "evt_1"),
        ],
        "a message without an id keeps the one before"
    );
}

/// The examples of the standard, section 9.2.6.
#[test]
fn reads_the_examples_of_the_standard() {
    assert_eq!(
        read(&[b"data: YHOO\ndata: +2\ndata: 10\n\n"]),
        [message("message", "YHOO\n+2\n10", "")],
        "lines of data are joined"
    );
    assert_eq!(
        read(&[
            b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n"
        ]),
        [message("message", "first event", "1"), message("message", "second event", "")],
        "an id without a value takes it back, and what is not ended by an empty line is dropped"
    );
    assert_eq!(
        read(&[b"data\n\ndata\ndata\n\ndata:"]),
        [message("message", "", ""), message("message", "\n", "")]
    );
    assert_eq!(
        read(&[b"data:test\n\ndata: test\n\n"]),
        [message("message", "test", ""), message("message", "test", "")],
        "one space is no part of the value"
    );
}

#[test]
fn lines_end_in_three_ways() {
    let expected = [message("a", "x\ny", "")];
    for end in ["\n", "\r", "\r\n"] {
        let text = ["event: a", "data: x", "data: y", "", ""].join(end);
        assert_eq!(read(&[text.as_bytes()]), expected, "{end:?}");
    }
    assert_eq!(read(&[b"event: a\r", b"\ndata: x\r", b"\ndata: y\r\n\r", b"\n"]), expected);
    assert_eq!(read(&[b"data: x\r", b"\r"]), [message("message", "x", "")], "CR CR is an empty line");
}

#[test]
fn only_the_first_line_may_have_a_byte_order_mark() {
    assert_eq!(
        read(&["\u{feff}data: x\n\n\u{feff}data: y\n\n".as_bytes()]),
        [message("message", "x", "")],
        "later it is a part of a field's name that nobody knows"
    );
    assert_eq!(read(&[b"\xef", b"\xbb", b"\xbfdata: x\n\n"]), [message("message", "x", "")]);
}

#[test]
fn what_is_not_valid_is_passed_over() {
    assert_eq!(read(&[b"retry: 1x\nretry:\nretry: -1\nretry: 99999999999999999999\n"]), []);
    assert_eq!(read(&[b"id: a\nid: b\0c\ndata: x\n\n"]), [message("message", "x", "a")]);
    assert_eq!(read(&[b"Data: x\ndata : x\n: data: x\n\n"]), [], "names are exact");
    assert_eq!(read(&[b"event: a\n\ndata: x\n\n"]), [message("message", "x", "")], "no data, no message");
    assert_eq!(read(&[b"data: \xff\xfe\n\n"]), [message("message", "\u{fffd}\u{fffd}", "")]);
}

#[test]
fn refuses_what_is_too_long() {
    let long = [b'x'; 11];
    let mut parser = Parser::new(10);
    assert_eq!(parser.push(&long, &mut Vec::new()), Err(TooLong { limit: 10 }));
    let mut parser = Parser::new(10);
    assert_eq!(parser.push(&long[..6], &mut Vec::new()), Ok(()));
    assert!(parser.push(&long[..6], &mut Vec::new()).is_err(), "in pieces as well");
    let mut parser = Parser::new(10);
    assert!(parser.push(&b"data: abc\n".repeat(100), &mut Vec::new()).is_err(), "many lines of one message");
    let mut parser = Parser::new(10);
    assert!(parser.push(&b"data: abc\n\n".repeat(100), &mut Vec::new()).is_ok(), "many messages");
}

/// Bytes that mean something to the parser come often.
fn any_stream() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        4 => prop::sample::select(vec![
            "\n", "\r", "\r\n", "\n\n", "data", "data:", "data: ", "id: ", "event: ", "retry: 7", ":", " ", "\0",
            "\u{feff}", "é", "😀",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..6),
    ];
    prop::collection::vec(part, 0..60).prop_map(|parts| parts.concat())
}

/// What the standard says, over the whole text at once and without any care for speed.
fn by_the_book(bytes: &[u8]) -> Vec<Item> {
    let text = String::from_utf8_lossy(bytes);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text).replace("\r\n", "\n").replace('\r', "\n");
    let (mut name, mut data, mut id, mut items) = (String::new(), String::new(), String::new(), Vec::new());
    let mut lines: Vec<&str> = text.split('\n').collect();
    lines.pop();
    for line in lines {
        if line.is_empty() {
            if let Some(text) = data.strip_suffix('\n') {
                items.push(message(if name.is_empty() { "message" } else { &name }, text, &id));
            }
            (name, data) = (String::new(), String::new());
            continue;
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => name = value.to_owned(),
            "data" => data.push_str(&format!("{value}\n")),
            "id" if !value.contains('\0') => id = value.to_owned(),
            "retry" if value.chars().all(|c| c.is_ascii_digit()) => {
                items.extend(value.parse().map(Item::Retry))
            }
            _ => {}
        }
    }
    items
}

proptest! {
    #[test]
    fn any_split_of_the_bytes_gives_the_same(bytes in any_stream(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12)) {
        let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        at.extend([0, bytes.len()]);
        at.sort_unstable();
        let pieces: Vec<&[u8]> = at.windows(2).map(|ends| &bytes[ends[0]..ends[1]]).collect();
        prop_assert_eq!(read(&pieces), read(&[&bytes]));
    }

    #[test]
    fn byte_by_byte_gives_what_the_standard_says(bytes in any_stream()) {
        let pieces: Vec<&[u8]> = bytes.chunks(1).collect();
        prop_assert_eq!(read(&pieces), by_the_book(&bytes));
    }

    #[test]
    fn a_message_reads_back(name in "[a-z][a-z._]{0,20}", data in "[^\r\n]{0,50}(\n[^\r\n]{0,50}){0,3}", id in "[^\r\n\0]{0,30}") {
        let lines: Vec<String> = data.split('\n').map(|line| format!("data: {line}\n")).collect();
        let text = format!("id: {id}\nevent: {name}\n{}\n", lines.concat());
        prop_assert_eq!(read(&[text.as_bytes()]), [message(&name, &data, &id)]);
    }
}
