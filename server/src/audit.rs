//! `quorate audit`: whether any log was rewritten, with which key that is checked, and a copy to check elsewhere.

use std::{collections::HashMap, io::Write as _, ops::ControlFlow};

use clap::Subcommand;
use domain::{
    TenantId, day,
    trail::{self, Log, Span, id_of},
};
use quorate_verify::{
    Against, Bound, Break, Checkpoint, Failure, Mark, Point, PublicKey, Source, Unreadable, Walk,
    Why, grouped,
};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection};

use crate::{
    checkpoint::{Folder, micros},
    cli::say,
    clock,
    config::Config,
    databases::Open,
    demo,
    export::{Export, Notary},
    stop::Stop,
};

/// A whole snapshot: heads and lines of one moment.
const BEGIN: &str = "begin isolation level repeatable read read only";
/// How long a line may be without a signature, in microseconds: five minutes, and one to walk there.
const UNSIGNED_MOST: i64 = 6 * 60 * 1_000_000;

/// What is done with the logs.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Reckon every hash of every log again, and compare with what was signed. Names the first row that is not as it must be.
    Verify {
        /// The label of a tenant's host, or its id; may be given more than once. Without it, all of them.
        #[arg(long = "tenant")]
        tenants: Vec<String>,
        /// Fail where a log has no checkpoint, or none for more than five minutes.
        #[arg(long)]
        require_checkpoints: bool,
        /// Check the signatures with this key, and not with the one that follows from `QUORATE_MASTER_KEY`.
        #[arg(long)]
        key: Option<PublicKey>,
    },
    /// Print the key that checkpoints and exports are checked with. Give it to each school, by another way than the files.
    Key,
    /// Write a log to standard output, for `quorate-verify`.
    Export {
        /// The label of the tenant's host, or its id.
        #[arg(long)]
        tenant: String,
        /// The first row, or the first day, such as 2026-06-01.
        #[arg(long)]
        from: Option<Edge>,
        /// The last row, or the last day.
        #[arg(long)]
        to: Option<Edge>,
    },
}

/// A row or a day, as the command line has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// A row.
    Row(i64),
    /// A day of the United Kingdom.
    Day(time::Date),
}

impl std::str::FromStr for Edge {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse() {
            Ok(row) if row > 0 => Ok(Self::Row(row)),
            _ => day::parse(text)
                .map(Self::Day)
                .map_err(|_| "a row, such as 1204, or a day, such as 2026-06-01"),
        }
    }
}

/// Does it, beside a running server or without one.
pub async fn run(config: &Config, command: Command) -> Result<(), Stop> {
    if let Command::Key = command {
        return say(&format!("{}\n", notary(config)?.signer.public()));
    }
    let open = Open::beside(config).await?;
    let done = act(config, &open, command).await;
    open.close().await;
    done
}

async fn act(config: &Config, open: &Open, command: Command) -> Result<(), Stop> {
    let mut auditor = open
        .logins()
        .options(cluster::Role::Auditor)?
        .connect()
        .await
        .map_err(|error| Stop::failed(format!("Cannot connect as the auditor: {error}.")))?;
    let done = match command {
        Command::Key => Ok(()),
        Command::Verify {
            tenants,
            require_checkpoints,
            key,
        } => {
            let key = match key {
                Some(key) => key,
                None => notary(config)?.signer.public(),
            };
            let folder = Folder::new(config.checkpoints.clone());
            verify_all(&mut auditor, &folder, &key, &tenants, require_checkpoints).await
        }
        Command::Export { tenant, from, to } => {
            export(&mut auditor, &notary(config)?, &tenant, from, to).await
        }
    };
    let _ = auditor.close().await;
    done
}

fn notary(config: &Config) -> Result<Notary, Stop> {
    let signer = demo::secrets(config)?
        .signer()
        .map_err(|refusal| Stop::failed(refusal.to_string()))?;
    Ok(Notary {
        signer,
        folder: Folder::new(config.checkpoints.clone()),
        clock: clock::now,
    })
}

/// A log that nobody rewrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whole {
    /// Its end.
    pub head: Point,
    /// Checkpoints that it leads to.
    pub checkpoints: u64,
    /// The time of the first line that no checkpoint vouches for, in microseconds since 1970; none where all are vouched for.
    pub unsigned_since: Option<i64>,
}

/// Why there is nothing to say of a log.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// It was rewritten, or its checkpoints cannot be read.
    #[error("{0}")]
    Log(Failure),
    /// The database does not answer.
    #[error("the database does not answer: {0}")]
    Database(#[from] sqlx::Error),
}

impl From<Break> for Trouble {
    fn from(broken: Break) -> Self {
        Self::Log(broken.into())
    }
}

/// Walks over a whole log to the end that the database noted, past every checkpoint. As the auditor, in a transaction in which
/// `log` was read too; `kept` was opened before it, so that nothing in it is younger than the log.
pub async fn verify(
    connection: &mut PgConnection,
    tenant: TenantId,
    head: Point,
    kept: impl Iterator<Item = Result<Checkpoint, Unreadable>>,
    key: &PublicKey,
) -> Result<Whole, Trouble> {
    let marks = kept.map(|one| {
        let one = one?;
        if one.tenant != id_of(tenant) {
            let why = Why::ForeignCheckpoint;
            return Err(Failure::from(Break { seq: one.seq, why }));
        }
        one.check(key)?;
        Ok(Mark::from(&one))
    });
    let (mut against, mut walk) = (
        Against::new(marks),
        Walk::after(id_of(tenant), Point::START),
    );
    let (mut failed, mut unsigned_since) = (None, None);
    trail::lines(connection, tenant, i64::MIN, None, |line| {
        let step = walk.step(line).map_err(Failure::from);
        match step.and_then(|()| against.meet(&walk.here())) {
            Ok(true) => unsigned_since = None,
            Ok(false) => unsigned_since = unsigned_since.or(Some(line.at)),
            Err(failure) => {
                failed = Some(failure);
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    })
    .await?;
    if let Some(failure) = failed {
        return Err(Trouble::Log(failure));
    }
    let here = walk.here();
    let broken = |seq, why| Err(Break { seq, why }.into());
    if here.seq < head.seq {
        return broken(here.seq + 1, Why::Missing(None));
    }
    if here.seq > head.seq {
        return broken(head.seq + 1, Why::BeyondHead);
    }
    if here != head {
        return broken(here.seq, Why::HeadDiffers);
    }
    if let Some(mark) = against.rest().map_err(Trouble::Log)? {
        return broken(mark.seq, Why::Shorter(mark.source, here.seq));
    }
    Ok(Whole {
        head: here,
        checkpoints: against.met(Source::Signed),
        unsigned_since,
    })
}

/// Of which tenants each log is to be, and what is said of each. Fails where one is broken.
async fn verify_all(
    auditor: &mut PgConnection,
    folder: &Folder,
    key: &PublicKey,
    wanted: &[String],
    require_checkpoints: bool,
) -> Result<(), Stop> {
    // Before the snapshot: what is signed meanwhile is not in it.
    let lengths: HashMap<TenantId, u64> = folder
        .lengths()
        .map_err(|error| {
            Stop::failed(format!(
                "The checkpoints at {} cannot be read: {error}.",
                folder.path().display()
            ))
        })?
        .into_iter()
        .collect();
    let now = micros(clock::now());
    let mut snapshot = auditor.begin_with(BEGIN).await.map_err(unanswered)?;
    let logs = trail::logs(&mut snapshot).await.map_err(unanswered)?;
    let chosen = choose(&logs, wanted)?;
    let (mut broken, mut unsigned) = (0_usize, 0_usize);
    for log in &chosen {
        let kept = kept(folder, log.tenant, &lengths)?;
        let has_file = kept.is_some();
        match verify(
            &mut snapshot,
            log.tenant,
            log.head,
            kept.into_iter().flatten(),
            key,
        )
        .await
        {
            Ok(whole) => {
                say(&format!("{}: {}\n", log.label, sentence(&whole)))?;
                if whole
                    .unsigned_since
                    .is_some_and(|since| since < now.saturating_sub(UNSIGNED_MOST))
                {
                    unsigned += 1;
                    let what = if has_file {
                        "no checkpoint for its newest rows"
                    } else {
                        "no checkpoint file"
                    };
                    say(&format!(
                        "{}: warning: there is {what}, which would show that they were not rewritten.\n",
                        log.label
                    ))?;
                }
            }
            Err(Trouble::Log(failure)) => {
                broken += 1;
                say(&format!("{}: broken. {failure}\n", log.label))?;
            }
            Err(Trouble::Database(error)) => return Err(unanswered(error)),
        }
    }
    if wanted.is_empty() {
        for line in strangers(&mut snapshot, folder, &logs, &lengths).await? {
            broken += 1;
            say(&line)?;
        }
    }
    drop(snapshot);
    match (broken, unsigned) {
        (0, 0) => Ok(()),
        (0, _) if !require_checkpoints => Ok(()),
        (0, unsigned) => Err(Stop::failed(format!("{} not signed.", counted(unsigned)))),
        (broken, _) => Err(Stop::failed(format!("{} broken.", counted(broken)))),
    }
}

fn counted(count: usize) -> String {
    if count == 1 {
        "1 log is".to_owned()
    } else {
        format!("{count} logs are")
    }
}

fn kept(
    folder: &Folder,
    tenant: TenantId,
    lengths: &HashMap<TenantId, u64>,
) -> Result<Option<impl Iterator<Item = Result<Checkpoint, Unreadable>> + use<>>, Stop> {
    let Some(length) = lengths.get(&tenant) else {
        return Ok(None);
    };
    folder
        .read(tenant, *length)
        .map_err(|error| Stop::failed(error.to_string()))
}

fn sentence(whole: &Whole) -> String {
    let plural = |count: i128, one: &str| {
        format!(
            "{} {one}{}",
            grouped(count),
            if count == 1 { "" } else { "s" }
        )
    };
    format!(
        "{}, {}, head {} {}…: unbroken.",
        plural(whole.head.seq.into(), "event"),
        plural(whole.checkpoints.into(), "checkpoint"),
        whole.head.seq,
        whole.head.hash.short()
    )
}

/// Lines and checkpoints of tenants that the database says it does not have.
async fn strangers(
    snapshot: &mut PgConnection,
    folder: &Folder,
    logs: &[Log],
    lengths: &HashMap<TenantId, u64>,
) -> Result<Vec<String>, Stop> {
    let known = |tenant: &TenantId| logs.iter().any(|log| log.tenant == *tenant);
    let mut found = Vec::new();
    for tenant in trail::tenants(snapshot).await.map_err(unanswered)? {
        if known(&tenant) {
            continue;
        }
        let mut first = 0;
        trail::lines(snapshot, tenant, i64::MIN, None, |line| {
            first = line.seq;
            ControlFlow::Break(())
        })
        .await
        .map_err(unanswered)?;
        let broken = Break {
            seq: first,
            why: Why::UnknownTenant,
        };
        found.push(format!("{tenant}: broken. {broken}\n"));
    }
    let mut signed: Vec<_> = lengths.keys().filter(|tenant| !known(tenant)).collect();
    signed.sort_unstable();
    for tenant in signed {
        let last = folder.last(*tenant).ok().flatten();
        if let Some(last) = last {
            let why = Why::Shorter(Source::Signed, 0);
            let broken = Break { seq: last.seq, why };
            found.push(format!("{tenant}: broken. {broken}\n"));
        }
    }
    Ok(found)
}

/// The logs of these labels or ids; all where none is named.
fn choose(logs: &[Log], wanted: &[String]) -> Result<Vec<Log>, Stop> {
    if wanted.is_empty() {
        return Ok(logs.to_vec());
    }
    wanted
        .iter()
        .map(|name| {
            logs.iter()
                .find(|log| log.label == *name || log.tenant.to_string() == *name)
                .cloned()
                .ok_or_else(|| Stop::config(format!("There is no tenant {name}.")))
        })
        .collect()
}

async fn export(
    auditor: &mut PgConnection,
    notary: &Notary,
    tenant: &str,
    from: Option<Edge>,
    to: Option<Edge>,
) -> Result<(), Stop> {
    let mut snapshot = auditor.begin_with(BEGIN).await.map_err(unanswered)?;
    let logs = trail::logs(&mut snapshot).await.map_err(unanswered)?;
    let log = choose(&logs, &[tenant.to_owned()])?.remove(0);
    let span = span(&mut snapshot, &log, from, to).await?;
    let mut export = Export::new(notary, log.tenant, &log.name, &span);
    let mut out = std::io::BufWriter::with_capacity(1 << 18, std::io::stdout().lock());
    let (mut piece, mut stopped) = (Vec::new(), None);
    let begins = export.begins_after();
    trail::lines(
        &mut snapshot,
        log.tenant,
        begins,
        Some(span.until),
        |line| {
            piece.clear();
            export.take(line, &mut piece);
            match out.write_all(&piece) {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => {
                    stopped = Some(error);
                    ControlFlow::Break(())
                }
            }
        },
    )
    .await
    .map_err(unanswered)?;
    piece.clear();
    let ended = export.end((notary.clock)(), &mut piece);
    let written = match stopped {
        Some(error) => Err(error),
        None => out.write_all(&piece).and_then(|()| out.flush()),
    };
    written.map_err(|error| Stop::failed(format!("The export cannot be written: {error}.")))?;
    ended.map_err(|failure| {
        Stop::failed(format!(
            "The log is broken, and its export is not signed. {failure}"
        ))
    })
}

async fn span(
    snapshot: &mut PgConnection,
    log: &Log,
    from: Option<Edge>,
    to: Option<Edge>,
) -> Result<Span, Stop> {
    let day = |edge| match edge {
        Some(Edge::Day(day)) => Some(day),
        _ => None,
    };
    let mut span = trail::span(snapshot, log.tenant, day(from), day(to))
        .await
        .map_err(unanswered)?;
    if let Some(Edge::Row(row)) = from {
        span.from = Some(Bound::Row(row));
        span.after = (row - 1).min(log.head.seq);
    }
    if let Some(Edge::Row(row)) = to {
        span.to = Some(Bound::Row(row));
        span.until = row.min(log.head.seq);
    }
    if span.until < span.after {
        return Err(Stop::config("--to lies before --from."));
    }
    Ok(span)
}

#[allow(clippy::needless_pass_by_value, reason = "the shape of map_err")]
fn unanswered(error: sqlx::Error) -> Stop {
    Stop::failed(format!("The database does not answer: {error}."))
}
