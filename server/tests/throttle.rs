//! One address asks strangers' questions only so often, in the real binary and against the real cache database.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(
    clippy::disallowed_methods,
    reason = "a test reads where PostgreSQL is from the environment it was started in, and waits by the real clock"
)]

mod house;

use house::House;
use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::{Duration, Instant},
};

/// Posts an empty form as the balancer would for a client, and gives the head of the answer and its body.
fn post(house: &House, path: &str, client: &str) -> (String, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", house.port)).unwrap();
    let host = format!("localhost:{}", house.port);
    let body = "act=session%2Fforgotten&email=";
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nhost: {host}\r\norigin: http://{host}\r\nx-real-ip: {client}\r\nconnection: close\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_lowercase(), body.to_owned())
}

/// Asks about a certificate that nobody made.
fn known(house: &House, client: &str) -> (String, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", house.port)).unwrap();
    write!(
        stream,
        "GET /known/01900000-0000-7000-8000-000000000003/{} HTTP/1.1\r\nhost: localhost:{}\r\nx-real-ip: {client}\r\nconnection: close\r\n\r\n",
        "0".repeat(64),
        house.port
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_lowercase(), body.to_owned())
}

fn status(answer: &(String, String)) -> &str {
    answer.0.split(' ').nth(1).unwrap()
}

#[test]
fn one_address_cannot_keep_everybody_else_from_signing_in() {
    let house = House::new();
    let server = house.serve_with(&[("QUORATE_CLIENT_HEADER", "x-real-ip")]);
    let asks = |client: &str| post(&house, "/forgotten", client);
    let first = asks("203.0.113.9");
    assert_eq!(status(&first), "422", "{first:?}");
    let mut refused = None;
    for _ in 0..600 {
        let answer = asks("203.0.113.9");
        if status(&answer) == "429" {
            refused = Some(answer);
            break;
        }
    }
    let (head, sentence) = refused.expect("the six hundred and first is refused");
    let wait: u32 = head
        .lines()
        .find_map(|line| line.strip_prefix("retry-after: "))
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=300).contains(&wait), "{wait}");
    assert!(head.contains("content-security-policy"), "{head}");
    assert!(sentence.contains("Too many attempts. Try again in"));
    // The outsiders: somebody else, somebody whose address cannot be read, and another question of the same one.
    for client in ["203.0.113.10", "2001:db8::9", "nobody"] {
        assert_eq!(status(&asks(client)), "422", "{client}");
    }
    assert_ne!(status(&post(&house, "/schools", "203.0.113.9")), "429");
    // What strangers ask about certificates is counted apart: any page of the web can make a browser ask, and its school still signs in.
    assert_eq!(status(&known(&house, "203.0.113.9")), "404");
    let refused = (0..=600).any(|_| status(&known(&house, "203.0.113.11")) == "429");
    assert!(refused, "the six hundred and first is refused");
    assert_eq!(status(&asks("203.0.113.11")), "422");
    assert_eq!(status(&known(&house, "203.0.113.10")), "404");
    drop(server);
}

#[test]
fn a_client_that_never_ends_its_question_is_let_go() {
    let house = House::new();
    let server = house.serve();
    let started = Instant::now();
    let mut stream = TcpStream::connect(("127.0.0.1", house.port)).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nhost:").unwrap();
    let mut rest = Vec::new();
    // An answer or none, but an end.
    let _ = stream.read_to_end(&mut rest);
    let took = started.elapsed();
    assert!(
        took > Duration::from_secs(5) && took < Duration::from_secs(50),
        "{took:?}"
    );
    drop(server);
}
