//! What goes over the wire to PostgreSQL: a socket of its own kind in between, which counts how often the client waits and
//! remembers what it asks. So the statements that are compared are those that the application sends, and not a copy of them.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use sqlx::postgres::PgConnectOptions;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{UnixListener, UnixStream},
    task::JoinHandle,
};
use uuid::Uuid;

use crate::{
    fault::{Result, io, said},
    workload::Bench,
};

/// The types that statements of the pages have, as PostgreSQL numbers them (`pg_type.dat`).
const UUID: u32 = 2950;
const INT8: u32 = 20;
/// What a client asks before anything else, where it would rather be encrypted (`SSLRequest`).
const ENCRYPT: u32 = 80_877_103;

/// What was heard since the last time somebody asked.
#[derive(Debug, Default)]
pub struct Heard {
    /// How often the client spoke in a transaction after it had been answered: each is a round trip that it waited for, and
    /// the beginning is the first.
    pub inside: u64,
    /// The same between transactions, with their end.
    pub around: u64,
    /// What it had executed with values, in order.
    pub asked: Vec<Statement>,
}

/// A statement with its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Its text, with `$1` where a value goes.
    pub text: String,
    /// The values; none where it has one of a kind that is not known here.
    pub values: Option<Vec<Value>>,
}

impl Statement {
    /// As its author would have written it for somebody whom row security does not hold: with the table of the accounts, and not
    /// the function that gives out the addresses of one tenant, which such a login may not even call.
    pub fn open(&self) -> Self {
        let text = self.text.replace(
            "sec.addresses() a on a.account_id = ",
            "account a on a.id = ",
        );
        Self {
            text,
            values: self.values.clone(),
        }
    }
}

/// A value of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// `uuid`.
    Uuid(Uuid),
    /// `bigint`.
    Whole(i64),
}

/// The socket in between. It ends when it is dropped.
pub struct Wire {
    options: PgConnectOptions,
    heard: Arc<Mutex<Heard>>,
    task: JoinHandle<()>,
}

impl Wire {
    /// Between a client and whoever these options lead to.
    pub fn between(bench: &Bench, name: &str, options: &PgConnectOptions) -> Result<Self> {
        let real = options
            .get_socket()
            .cloned()
            .or_else(|| Some(PathBuf::from(options.get_host())).filter(|path| path.is_absolute()))
            .ok_or_else(|| said("The database is not reached over a socket of this machine."))?;
        let folder = bench.folder().join(name);
        std::fs::create_dir_all(&folder).map_err(io("the scratch folder"))?;
        let socket = format!(".s.PGSQL.{}", options.get_port());
        let _inside = bench.hands.enter();
        let listener = UnixListener::bind(folder.join(&socket)).map_err(io("a socket"))?;
        let heard = Arc::new(Mutex::new(Heard::default()));
        let task = bench
            .hands
            .spawn(carry_all(listener, real.join(&socket), heard.clone()));
        Ok(Self {
            options: options.clone().socket(folder),
            heard,
            task,
        })
    }

    /// How a client connects through it.
    pub fn options(&self) -> PgConnectOptions {
        self.options.clone()
    }

    /// What was heard since it was last asked.
    pub fn take(&self) -> Heard {
        std::mem::take(&mut *self.heard.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// All connections end with the task.
async fn carry_all(listener: UnixListener, to: PathBuf, heard: Arc<Mutex<Heard>>) {
    let mut carried = tokio::task::JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        let (to, heard) = (to.clone(), heard.clone());
        carried.spawn(async move {
            if let Ok(server) = UnixStream::connect(&to).await {
                // A connection that breaks is told to the client by its end.
                let _ = carry(client, server, &heard).await;
            }
        });
    }
}

async fn carry(
    mut client: UnixStream,
    mut server: UnixStream,
    heard: &Mutex<Heard>,
) -> std::io::Result<()> {
    let mut ear = Ear::default();
    let mut answered = true;
    let (mut asking, mut answering) = (vec![0; 65_536], vec![0; 65_536]);
    loop {
        tokio::select! {
            read = client.read(&mut asking) => {
                let said = asking.get(..read?).unwrap_or_default();
                if said.is_empty() {
                    return server.shutdown().await;
                }
                {
                    let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
                    ear.hear(said, &mut heard.asked);
                    let turns = if ear.inside { &mut heard.inside } else { &mut heard.around };
                    *turns += u64::from(answered);
                }
                answered = false;
                server.write_all(said).await?;
            }
            read = server.read(&mut answering) => {
                let said = answering.get(..read?).unwrap_or_default();
                if said.is_empty() {
                    return client.shutdown().await;
                }
                answered = true;
                client.write_all(said).await?;
            }
        }
    }
}

/// Understands as much of the protocol's version 3 as is needed to know what is executed (PostgreSQL's manual, "Message
/// Formats").
#[derive(Default)]
struct Ear {
    begun: bool,
    /// Whether a transaction is under way.
    inside: bool,
    left: Vec<u8>,
    /// Text and types of what was prepared, by name.
    prepared: HashMap<Vec<u8>, (String, Vec<u32>)>,
}

impl Ear {
    fn hear(&mut self, bytes: &[u8], asked: &mut Vec<Statement>) {
        self.left.extend_from_slice(bytes);
        let mut left = std::mem::take(&mut self.left);
        let mut rest = Body(&left);
        while let Some(after) = self.message(rest, asked) {
            rest = after;
        }
        let used = left.len() - rest.0.len();
        left.drain(..used);
        self.left = left;
    }

    /// Hears one message; none while it is not whole.
    fn message<'a>(&mut self, from: Body<'a>, asked: &mut Vec<Statement>) -> Option<Body<'a>> {
        let mut rest = from;
        // The first one has no kind.
        let kind = if self.begun { rest.take(1)?[0] } else { 0 };
        let length = usize::try_from(rest.number()?).ok()?;
        let mut body = Body(rest.take(length.checked_sub(4)?)?);
        match kind {
            0 => self.begun = body.number() != Some(ENCRYPT),
            b'P' => {
                let _ = self.prepare(&mut body);
            }
            b'B' => asked.extend(self.bind(&mut body)),
            // sqlx begins and ends transactions in words.
            b'Q' => {
                let words = body.0.to_ascii_lowercase();
                self.inside =
                    words.starts_with(b"begin") || self.inside && !words.starts_with(b"rollback");
            }
            _ => {}
        }
        Some(rest)
    }

    fn prepare(&mut self, body: &mut Body<'_>) -> Option<()> {
        let name = body.word()?.to_vec();
        let text = String::from_utf8_lossy(body.word()?).into_owned();
        let types = (0..body.short()?)
            .map(|_| body.number())
            .collect::<Option<_>>()?;
        self.prepared.insert(name, (text, types));
        Some(())
    }

    fn bind(&self, body: &mut Body<'_>) -> Option<Statement> {
        body.word()?;
        let (text, types) = self.prepared.get(body.word()?)?;
        for _ in 0..body.short()? {
            body.short()?;
        }
        let mut values = Some(Vec::new());
        for place in 0..body.short()? {
            let length = body.number()?;
            // Nothing has the length -1.
            let bytes = match usize::try_from(length) {
                Ok(length) if length < usize::try_from(u32::MAX).ok()? => Some(body.take(length)?),
                _ => None,
            };
            let value = match (types.get(usize::from(place)), bytes) {
                (Some(&UUID), Some(bytes)) => Uuid::from_slice(bytes).ok().map(Value::Uuid),
                (Some(&INT8), Some(bytes)) => bytes
                    .try_into()
                    .ok()
                    .map(|bytes| Value::Whole(i64::from_be_bytes(bytes))),
                _ => None,
            };
            values = values.zip(value).map(|(mut values, value)| {
                values.push(value);
                values
            });
        }
        Some(Statement {
            text: text.clone(),
            values,
        })
    }
}

/// What is left of a message.
#[derive(Clone, Copy)]
struct Body<'a>(&'a [u8]);

impl<'a> Body<'a> {
    fn take(&mut self, many: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(many)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(self.take(4)?.try_into().ok()?))
    }

    fn short(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes(self.take(2)?.try_into().ok()?))
    }

    /// Up to a zero.
    fn word(&mut self) -> Option<&'a [u8]> {
        let end = self.0.iter().position(|byte| *byte == 0)?;
        let word = self.take(end)?;
        self.take(1)?;
        Some(word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 4).unwrap();
        [&[kind][..], &length.to_be_bytes(), body].concat()
    }

    #[test]
    fn a_statement_is_heard_with_its_values_however_it_is_cut() {
        let (who, many) = (Uuid::from_u128(7), 12_i64);
        let begin = message(0, &196_608_u32.to_be_bytes())[1..].to_vec();
        let prepare = [
            b"one\0select $1, $2\0".as_slice(),
            &2_u16.to_be_bytes(),
            &UUID.to_be_bytes(),
            &INT8.to_be_bytes(),
        ]
        .concat();
        let bind = [
            b"\0one\0".as_slice(),
            &1_u16.to_be_bytes(),
            &1_u16.to_be_bytes(),
            &2_u16.to_be_bytes(),
            &16_u32.to_be_bytes(),
            who.as_bytes(),
            &8_u32.to_be_bytes(),
            &many.to_be_bytes(),
            &[0, 0],
        ]
        .concat();
        let said = [begin, message(b'P', &prepare), message(b'B', &bind)].concat();
        for cut in 1..said.len() {
            let (mut ear, mut asked) = (Ear::default(), Vec::new());
            for part in said.chunks(cut) {
                ear.hear(part, &mut asked);
            }
            let heard = Statement {
                text: "select $1, $2".to_owned(),
                values: Some(vec![Value::Uuid(who), Value::Whole(many)]),
            };
            assert_eq!(asked, [heard], "in parts of {cut}");
        }
    }

    #[test]
    fn a_transaction_lasts_from_its_begin_to_its_rollback() {
        let mut ear = Ear {
            begun: true,
            ..Ear::default()
        };
        let mut inside = |words: &[u8]| {
            ear.hear(&message(b'Q', words), &mut Vec::new());
            ear.inside
        };
        assert!(inside(b"begin read only; select 1\0"));
        assert!(inside(b"select 2\0"));
        assert!(!inside(b"ROLLBACK\0"));
        assert!(!inside(b"select 3\0"));
    }

    #[test]
    fn a_value_of_another_kind_is_not_guessed() {
        let mut ear = Ear {
            begun: true,
            ..Ear::default()
        };
        let mut asked = Vec::new();
        let prepare = [
            b"\0select $1\0".as_slice(),
            &1_u16.to_be_bytes(),
            &25_u32.to_be_bytes(),
        ]
        .concat();
        let bind = [
            b"\0\0".as_slice(),
            &0_u16.to_be_bytes(),
            &1_u16.to_be_bytes(),
            &2_u32.to_be_bytes(),
            b"hi",
            &[0, 0],
        ]
        .concat();
        ear.hear(&message(b'P', &prepare), &mut asked);
        ear.hear(&message(b'B', &bind), &mut asked);
        assert_eq!(asked.len(), 1);
        assert_eq!(asked[0].values, None);
    }
}
