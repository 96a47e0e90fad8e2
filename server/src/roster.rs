//! The door for a school's roster: its file comes in, is read in a child beside the roll, and is gone; and the lines that could not be
//! taken go out as a file.
//!
//! The file lies in the folder of uploads while it is read, without a name: whatever ends the process, the system frees it, so that no
//! restart finds one and nothing has to be swept. It is never kept for a second reading. Somebody who says what a column is chooses
//! the file once more, since what it holds beyond the columns that a school has switched on must not lie here waiting for them.
//!
//! Its rows go to the database in one transaction, a set at a time (see [`domain::roster::staging`]): a reading that breaks off was never
//! there. One file is read at a time, so that those who send papers find a free place to have them looked at.

use std::{collections::BTreeMap, os::fd::AsRawFd as _, path::PathBuf, sync::Arc, time::Duration};

use app::roster::{
    HEADER, MEANS,
    under_way::{One, Stand, UnderWay},
};
use axum::{
    Extension, Router,
    body::Body,
    extract::{DefaultBodyLimit, FromRequest as _, Multipart, Path, Request, State},
    http::{HeaderValue, header, request::Parts},
    response::{IntoResponse, Response},
    routing::get,
};
use domain::{
    Refusal, day,
    db::Caller,
    pupil::{self, field::Field, year::SchoolYear},
    roster::{
        column::Column,
        date, import,
        line::Against,
        plan::{self, Fate, Plan},
        refused::Refused,
        repair,
        staging::{self, TOGETHER},
    },
};
use inspect::{
    Inspector,
    roster::{FILE_MOST, Source},
};
use sha2::{Digest as _, Sha256};
use tokio::{fs::File, io::AsyncWriteExt as _, sync::Semaphore, time::timeout};
use uuid::Uuid;

use crate::{
    router::{Site, tenant_of},
    session::IntoPage,
    staging::full,
    upload::{self, FIELD_WAIT, NotDone},
};

/// Most fields of the form: one for each column, and a few.
const FIELDS_MOST: usize = inspect::roster::COLUMNS_MOST + 20;
/// How long a form waits for its file to be read: most are there by then, and no page in between is seen.
const PATIENCE: Duration = Duration::from_secs(3);
/// Longest name of a file that is kept.
const NAME_MOST: usize = 200;

/// The readings of this process.
#[derive(Clone, Debug)]
pub struct Rosters {
    /// How far each is, for the pages.
    pub under_way: UnderWay,
    turn: Arc<Semaphore>,
}

impl Default for Rosters {
    fn default() -> Self {
        Self {
            under_way: UnderWay::default(),
            turn: Arc::new(Semaphore::new(1)),
        }
    }
}

/// The route of what goes out.
pub fn route() -> Router<Site> {
    Router::new().route("/roster/{import}/not-taken.csv", get(not_taken))
}

/// Whether a roster is posted there.
pub fn is_for(path: &str) -> bool {
    path == "/roster"
}

/// A file on its way to the child: it has no name, and is gone with this.
struct Scratch(File);

impl Scratch {
    /// By which this process opens it once more, from its beginning.
    fn path(&self) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}", self.0.as_raw_fd()))
    }
}

/// What came with the form.
struct Came {
    scratch: Scratch,
    sha256: [u8; 32],
    name: String,
    choices: BTreeMap<String, Column>,
    /// A reading that this one is in place of.
    instead: Option<Uuid>,
}

/// The form with a roster: its fields, then its file. Where to go on; or what was chosen, and why nothing was read. Of a file whose
/// columns are not understood, the names of these are given back.
pub async fn read(site: &Site, parts: &Parts, body: Body) -> Result<HeaderValue, NotDone> {
    let mut fields = Vec::new();
    let began = async {
        let caller = parts
            .extensions
            .get::<Caller>()
            .cloned()
            .ok_or(Refusal::SignedOut)?;
        // Before a byte of it is taken.
        let standing = site.services.db.read(&caller).await?.standing.clone();
        if !pupil::keeps(&standing.roles) {
            return Err(Refusal::NotFound);
        }
        let came = receive(site, parts, body, &mut fields).await?;
        let table = site.files.inspector.roster(&came.scratch.path()).await?;
        let (header, source) = (table.header, table.source.unwrap_or_default());
        let mut read = site.services.db.read(&caller).await?;
        let plan = plan::plan(&mut read, &header, &came.choices).await?;
        drop(read);
        if let Err(fault) = plan.check() {
            fields.extend(header.into_iter().map(|name| (HEADER.to_owned(), name)));
            return Err(fault.into());
        }
        let one = site.rosters.under_way.begin(caller.tenant, Uuid::now_v7());
        Ok::<_, Refusal>((caller, came, plan, source, one))
    };
    let (caller, came, plan, source, one) = match began.await {
        Ok(began) => began,
        Err(refusal) => return Err((fields, refusal)),
    };
    let id = one.id;
    let tenant = caller.tenant;
    // In a task of its own: what was begun is ended, also when nobody waits for it any more.
    let mut task = tokio::spawn(ended(site.clone(), caller, came, plan, source, one));
    let _ = timeout(PATIENCE, &mut task).await;
    let to = match site.rosters.under_way.of(tenant, id) {
        Some(Stand::Read(import)) => format!("/roster/{import}?done=read"),
        Some(Stand::Refused(refusal)) => return Err((fields, refusal)),
        Some(Stand::Waits | Stand::Reads(..)) | None => format!("/roster/reading/{id}"),
    };
    HeaderValue::from_str(&to).map_err(|_| (Vec::new(), Refusal::Broken))
}

/// Reads a file to its end, and tells what became of it.
async fn ended(site: Site, caller: Caller, came: Came, plan: Plan, source: Source, one: One) {
    match stage(&site, &caller, &came, &plan, &source, &one).await {
        Ok(import) => {
            if let Some(instead) = came.instead {
                throw_away(&site, &caller, instead).await;
            }
            one.tell(Stand::Read(import));
        }
        Err(refusal) => one.tell(Stand::Refused(refusal)),
    }
}

/// What the new reading is in place of. Where it is no more, or was taken in meanwhile, it stays as it is.
async fn throw_away(site: &Site, caller: &Caller, import: Uuid) {
    let thrown = async {
        let mut write = site.services.db.write(caller).await?;
        let act = import::drop_it(&mut write, import).await?;
        write.commit(act).await
    };
    if let Err(refusal) = thrown.await {
        tracing::info!(%refusal, "an earlier reading of a roster stays");
    }
}

/// Takes the form's fields and its file, which is written down as it comes and never held.
async fn receive(
    site: &Site,
    parts: &Parts,
    body: Body,
    fields: &mut Vec<(String, String)>,
) -> Result<Came, Refusal> {
    let mut request = Request::new(body);
    *request.headers_mut() = parts.headers.clone();
    DefaultBodyLimit::disable().apply(&mut request);
    let mut form = Multipart::from_request(request, &())
        .await
        .map_err(|_| Refusal::UploadLost)?;
    loop {
        let field = match timeout(FIELD_WAIT, form.next_field()).await {
            Ok(Ok(Some(field))) => field,
            Ok(Ok(None)) => return Err(Refusal::NoFile),
            Ok(Err(_)) | Err(_) => return Err(Refusal::UploadLost),
        };
        let name = field.name().unwrap_or_default().to_owned();
        let Some(file) = field.file_name().map(str::to_owned) else {
            match upload::text(field).await {
                // What only we say of a file, nobody sends.
                Some(_) if name == HEADER => {}
                Some(value) if fields.len() < FIELDS_MOST => fields.push((name, value)),
                _ => return Err(Refusal::UploadLost),
            }
            continue;
        };
        if file.is_empty() {
            continue;
        }
        let written = write_down(site, field).await;
        // A browser that is answered before it has sent all of it sees a broken connection, and no sentence.
        upload::drain(form).await;
        let (scratch, sha256) = written?;
        return Ok(Came {
            scratch,
            sha256,
            name: tidy_name(&file),
            choices: fields
                .iter()
                .filter_map(|(name, value)| {
                    let key = name.strip_prefix(MEANS)?.to_owned();
                    Some((key, Column::from_code(value)?))
                })
                .collect(),
            instead: fields
                .iter()
                .find(|(name, _)| name == "instead")
                .and_then(|(_, id)| Uuid::try_parse(id).ok()),
        });
    }
}

async fn write_down(
    site: &Site,
    mut field: axum::extract::multipart::Field<'_>,
) -> Result<(Scratch, [u8; 32]), Refusal> {
    let mut file = site.files.staging.nameless().await?;
    let (mut sum, mut size) = (Sha256::new(), 0);
    loop {
        let piece = match timeout(FIELD_WAIT, field.chunk()).await {
            Ok(Ok(Some(piece))) => piece,
            Ok(Ok(None)) => break,
            Ok(Err(_)) | Err(_) => return Err(Refusal::UploadLost),
        };
        size += piece.len() as u64;
        if size > FILE_MOST {
            return Err(Refused::TooLarge.into());
        }
        sum.update(&piece);
        file.write_all(&piece).await.map_err(full)?;
    }
    file.flush().await.map_err(full)?;
    if size == 0 {
        return Err(Refused::Empty.into());
    }
    Ok((Scratch(file), sum.finalize().into()))
}

/// A file's name as it is kept, from whatever a browser sends: the last part of a path, in one line, without characters that do not
/// show or turn the direction.
fn tidy_name(sent: &str) -> String {
    let last = sent.rsplit(['/', '\\']).next().unwrap_or_default();
    let shown: String = last
        .chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .filter(|c| !c.is_control() && !is_turning(*c))
        .collect();
    let line = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    let name: String = line.chars().take(NAME_MOST).collect();
    match name.trim() {
        "" => "A file without a name".to_owned(),
        name => name.to_owned(),
    }
}

fn is_turning(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// What a first reading finds out, before anything is written: that the file can be read to its end, how many rows it has, and which
/// way its dates are.
struct Survey {
    rows: usize,
    day_first: bool,
}

async fn survey(inspector: &Inspector, scratch: &Scratch, plan: &Plan) -> Result<Survey, Refusal> {
    let born = plan
        .columns()
        .position(|(_, fate)| fate == Fate::Kept(Column::Field(Field::Born)));
    let mut rows = inspector.roster(&scratch.path()).await?.rows;
    let (mut many, mut day, mut month) = (0, false, false);
    while let Some(row) = rows.next().await? {
        many += 1;
        let cell = born.and_then(|place| row.cells.get(place));
        match cell.and_then(|cell| date::day_first([cell.as_str()])) {
            Some(true) => day = true,
            Some(false) => month = true,
            None => {}
        }
    }
    if many == 0 {
        return Err(Refused::Empty.into());
    }
    Ok(Survey {
        rows: many,
        // As everybody in this country writes it, where nothing tells.
        day_first: day || !month,
    })
}

/// Reads a file beside the roll; the key of the roster. All of it, or nothing.
async fn stage(
    site: &Site,
    caller: &Caller,
    came: &Came,
    plan: &Plan,
    source: &Source,
    one: &One,
) -> Result<Uuid, Refusal> {
    let turn = site.rosters.turn.clone().acquire_owned().await;
    let _turn = turn.map_err(|_| Refusal::Unavailable)?;
    let inspector = &site.files.inspector;
    let survey = survey(inspector, &came.scratch, plan).await?;
    one.tell(Stand::Reads(0, survey.rows));
    let mut table = inspector.roster(&came.scratch.path()).await?;
    let today = day::today((site.services.now)());
    let against = Against {
        today,
        school_year: SchoolYear::of(today),
        // Placing a school's own codes is not offered yet: each of them waits for being placed.
        ethnicities: BTreeMap::new(),
        day_first: survey.day_first,
    };
    let file = staging::File {
        name: &came.name,
        sha256: &came.sha256,
        source: (&source.la, &source.establishment),
    };
    let mut write = site.services.db.write(caller).await?;
    let mut staging = staging::begin(
        &mut write,
        file,
        &table.header,
        &came.choices,
        against,
        site.services.secrets.clone(),
    )
    .await?;
    let mut together = Vec::with_capacity(TOGETHER);
    loop {
        let row = table.rows.next().await?;
        let over = row.is_none();
        together.extend(row.map(|row| (row.line, row.cells)));
        if together.len() == TOGETHER || (over && !together.is_empty()) {
            let set = std::mem::replace(&mut together, Vec::with_capacity(TOGETHER));
            staging.take(&mut write, set).await?;
            one.tell(Stand::Reads(staging.rows(), survey.rows));
        }
        if over {
            break;
        }
    }
    let import = staging.id();
    let act = staging.finish(&mut write).await?;
    write.commit(act).await?;
    Ok(import)
}

/// `GET /roster/{import}/not-taken.csv`: the lines that cannot be taken as they are, with a reason each. For those who keep the roll.
async fn not_taken(
    State(site): State<Site>,
    host: Option<Extension<app::door::Host>>,
    caller: Option<Extension<Caller>>,
    Path(import): Path<String>,
) -> Response {
    let table = async {
        let Some(Extension(caller)) = caller.filter(|_| tenant_of(host).is_some()) else {
            return Err(Refusal::NotFound);
        };
        let import = Uuid::try_parse(&import).map_err(|_| Refusal::NotFound)?;
        let mut read = site.services.db.read(&caller).await?;
        if !pupil::keeps(&read.standing.roles) {
            return Err(Refusal::NotFound);
        }
        repair::faults_csv(&mut read, &site.services.secrets, import).await
    };
    match table.await {
        Ok(table) => (
            [
                (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
                (
                    header::CONTENT_DISPOSITION,
                    "attachment; filename=\"not-taken.csv\"",
                ),
            ],
            table,
        )
            .into_response(),
        Err(refusal) => refusal.into_page(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_line_that_the_schema_takes() {
        for (sent, kept) in [
            ("C:\\Users\\Office\\year 4.csv", "year 4.csv"),
            ("../../roster.xml", "roster.xml"),
            ("ro\u{202e}vsc.ster\n\t.csv ", "rovsc.ster .csv"),
            ("\u{1}", "A file without a name"),
            ("dir/", "A file without a name"),
        ] {
            assert_eq!(tidy_name(sent), kept);
        }
        let long = tidy_name(&format!("{}.csv", "x".repeat(300)));
        assert_eq!(long.chars().count(), NAME_MOST);
    }
}
