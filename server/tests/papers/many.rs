//! Eight files of 64 MiB at once, in and out again: the server holds none of them in its memory.

use std::{fmt::Write as _, fs, time::Duration};

use axum::body::Bytes;
use futures::{StreamExt, stream};
use sha2::{Digest, Sha256};
use tokio::task::{JoinSet, block_in_place};

use crate::{
    crowd::{Browser, Dice},
    folder,
    house::House,
};

const FILES: u64 = 8;
const SIZE: u64 = 64 << 20;
/// What the issue allows the process to grow by.
const GROWTH_MOST: u64 = 64 << 20;
const EDGE: &str = "a line that no file of these has";
/// So much of a file is made up at a time.
const PIECE: usize = 64 << 10;
/// Pictures of a file: 8 MiB each, 4096 grey points wide.
const PICTURES: u64 = 8;

/// A PDF with one page and eight pictures on it, of which only the frame is ever whole in memory: the pictures are noise that is
/// made up as it leaves.
struct Paper {
    seed: u64,
}

impl Paper {
    /// What stands between the pictures: before each, and after the last.
    fn frames() -> Vec<String> {
        let room = (SIZE / PICTURES - 8192) / 4096 * 4096;
        let mut names = String::new();
        for picture in 0..PICTURES {
            write!(names, "/P{picture} {} 0 R ", 5 + picture).unwrap();
        }
        let drawn: String = (0..PICTURES).map(|n| format!("/P{n} Do ")).collect();
        let mut frames = vec![format!(
            "%PDF-1.7\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n2 0 obj\n<</Type/Pages/Kids[3 0 R]/Count 1>>\nendobj\n\
             3 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</XObject<<{names}>>>>>>\nendobj\n\
             4 0 obj\n<</Length {}>>\nstream\n{drawn}\nendstream\nendobj\n",
            drawn.len()
        )];
        let mut offsets: Vec<u64> = (1..5)
            .map(|n| frames[0].find(&format!("{n} 0 obj")).unwrap() as u64)
            .collect();
        let mut at = frames[0].len() as u64;
        for picture in 0..PICTURES {
            if picture > 0 {
                frames.push("\nendstream\nendobj\n".to_owned());
                at += frames.last().unwrap().len() as u64;
            }
            offsets.push(at);
            let head = format!(
                "{} 0 obj\n<</Type/XObject/Subtype/Image/Width 4096/Height {}/ColorSpace/DeviceGray/BitsPerComponent 8/Length {room}>>\nstream\n",
                5 + picture,
                room / 4096
            );
            at += head.len() as u64 + room;
            frames.last_mut().unwrap().push_str(&head);
        }
        let mut tail = "\nendstream\nendobj\n".to_owned();
        // Filled up to the size that was promised.
        let table = 20 * (offsets.len() as u64 + 1) + 256;
        let fill = SIZE - at - tail.len() as u64 - table;
        tail.push('%');
        tail.extend(std::iter::repeat_n(' ', usize::try_from(fill).unwrap()));
        tail.push('\n');
        let start = at + tail.len() as u64;
        write!(tail, "xref\n0 {}\n0000000000 65535 f \n", offsets.len() + 1).unwrap();
        for offset in &offsets {
            writeln!(tail, "{offset:010} 00000 n ").unwrap();
        }
        write!(
            tail,
            "trailer\n<</Size {}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n",
            offsets.len() + 1
        )
        .unwrap();
        frames.push(tail);
        frames
    }

    fn length() -> u64 {
        let room = (SIZE / PICTURES - 8192) / 4096 * 4096;
        Self::frames()
            .iter()
            .map(|part| part.len() as u64)
            .sum::<u64>()
            + PICTURES * room
    }

    /// Its bytes, piece by piece.
    fn pieces(&self) -> impl Iterator<Item = Bytes> + Send + use<> {
        let room = usize::try_from((SIZE / PICTURES - 8192) / 4096 * 4096).unwrap();
        let mut dice = Dice(self.seed);
        let mut frames = Self::frames().into_iter();
        let mut left = 0;
        std::iter::from_fn(move || {
            if left == 0 {
                let frame = frames.next()?;
                left = if frames.len() > 0 { room } else { 0 };
                return Some(Bytes::from(frame));
            }
            let length = left.min(PIECE);
            left -= length;
            let mut piece = vec![0; length];
            for eight in piece.chunks_mut(8) {
                let noise = dice.below(u64::MAX).to_le_bytes();
                let length = eight.len();
                eight.copy_from_slice(&noise[..length]);
            }
            Some(Bytes::from(piece))
        })
    }

    fn sum(&self) -> String {
        let mut sum = Sha256::new();
        self.pieces().for_each(|piece| sum.update(&piece));
        sum.finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

/// A figure of `/proc/<pid>/status`, in bytes.
fn figure(process: u32, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib << 10
}

/// The most that the process has held since it was last asked.
fn peak(process: u32) -> u64 {
    let most = figure(process, "VmHWM:");
    fs::write(format!("/proc/{process}/clear_refs"), "5").unwrap();
    most
}

struct Sender {
    client: reqwest::Client,
    origin: String,
    clerk: Browser,
}

impl Sender {
    fn ask(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        let mut ask = self
            .client
            .request(method, format!("{}{path}", self.origin));
        for (name, value) in self.clerk.headers() {
            ask = ask.header(name, value);
        }
        ask
    }

    /// As the form does without a script. The document's address.
    async fn in_one_piece(&self, folder: &str, paper: &Paper) -> String {
        let head = format!(
            "--{EDGE}\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nPlan {0}\r\n\
             --{EDGE}\r\nContent-Disposition: form-data; name=\"files\"; filename=\"plan-{0}.pdf\"\r\nContent-Type: application/pdf\r\n\r\n",
            paper.seed
        );
        let parts = std::iter::once(Bytes::from(head))
            .chain(paper.pieces())
            .chain(std::iter::once(Bytes::from(format!("\r\n--{EDGE}--\r\n"))));
        let answer = self
            .ask(reqwest::Method::POST, &format!("{folder}/add"))
            .header(
                "content-type",
                format!("multipart/form-data; boundary=\"{EDGE}\""),
            )
            .body(reqwest::Body::wrap_stream(
                stream::iter(parts).map(Ok::<_, std::io::Error>),
            ))
            .send()
            .await
            .unwrap();
        let (status, headers) = (answer.status(), answer.headers().clone());
        assert_eq!(status, 303, "{:?}", answer.text().await);
        let location = headers["location"].to_str().unwrap();
        location.split('?').next().unwrap().to_owned()
    }

    /// As the page's script does.
    async fn in_parts(&self, folder: &str, paper: &Paper) -> String {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        let field = |name: &str, value: &str| format!("{name} {}", STANDARD.encode(value));
        let said = [
            field("filename", &format!("plan-{}.pdf", paper.seed)),
            field("folder", folder.rsplit('/').next().unwrap()),
            field("title", &format!("Plan {}", paper.seed)),
        ];
        let begun = self
            .ask(reqwest::Method::POST, "/files/uploads")
            .header("upload-length", Paper::length().to_string())
            .header("upload-metadata", said.join(","))
            .send()
            .await
            .unwrap();
        assert_eq!(begun.status(), 201, "{}", begun.text().await.unwrap());
        let place = begun.headers()["location"].to_str().unwrap().to_owned();
        let parts = stream::iter(paper.pieces()).map(Ok::<_, std::io::Error>);
        let sent = self
            .ask(reqwest::Method::PATCH, &place)
            .header("upload-offset", "0")
            .header("content-type", "application/offset+octet-stream")
            .body(reqwest::Body::wrap_stream(parts))
            .send()
            .await
            .unwrap();
        assert_eq!(sent.status(), 204, "{}", sent.text().await.unwrap());
        let done = self
            .ask(reqwest::Method::POST, &format!("{place}/finish"))
            .send()
            .await
            .unwrap();
        assert_eq!(done.status(), 200, "{}", done.text().await.unwrap());
        let done: serde_json::Value = done.json().await.unwrap();
        format!("/papers/{}", done["document"].as_str().unwrap())
    }

    /// The hash of what is handed out.
    async fn fetch(&self, document: &str) -> String {
        let answer = self
            .ask(reqwest::Method::GET, &format!("{document}/versions/1/file"))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200);
        let (mut sum, mut body) = (Sha256::new(), answer.bytes_stream());
        while let Some(piece) = body.next().await {
            sum.update(piece.unwrap());
        }
        sum.finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn eight_files_of_64_mib_at_once_leave_no_mark_on_the_memory() {
    assert!(
        (SIZE - 4096..=SIZE).contains(&Paper::length()),
        "{}",
        Paper::length()
    );
    let house = House::new();
    let server = block_in_place(|| house.serve_with(&[("QUORATE_DEMO", "1")]));
    let mut clerk = Browser::at(&house, "oakfield")
        .sign_in("clerk@oakfield.example")
        .await;
    let folder = folder(&mut clerk, "Plans").await;
    let sender = std::sync::Arc::new(Sender {
        client: reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_mins(8))
            .build()
            .unwrap(),
        origin: format!("http://127.0.0.1:{}", house.port),
        clerk,
    });
    // What the first file takes is taken once: connections, buffers, the pages' own.
    let first = Paper { seed: 100 };
    let document = sender.in_one_piece(&folder, &first).await;
    assert_eq!(sender.fetch(&document).await, first.sum());
    let process = server.id();
    peak(process);
    let before = figure(process, "VmRSS:");

    let mut uploads = JoinSet::new();
    for seed in 0..FILES {
        let (sender, folder) = (sender.clone(), folder.clone());
        uploads.spawn(async move {
            let paper = Paper { seed };
            let document = if seed % 2 == 0 {
                sender.in_one_piece(&folder, &paper).await
            } else {
                sender.in_parts(&folder, &paper).await
            };
            (document, paper)
        });
    }
    let filed = uploads.join_all().await;
    let grown = peak(process).saturating_sub(before);
    println!(
        "grown by {} MiB from {} MiB on the way in",
        grown >> 20,
        before >> 20
    );
    assert!(grown <= GROWTH_MOST, "grown by {grown} bytes on the way in");

    let mut downloads = JoinSet::new();
    for (document, paper) in filed {
        let sender = sender.clone();
        downloads.spawn(async move { (sender.fetch(&document).await, paper.sum()) });
    }
    for (found, sent) in downloads.join_all().await {
        assert_eq!(found, sent);
    }
    let grown = peak(process).saturating_sub(before);
    println!("grown by {} MiB on the way out", grown >> 20);
    assert!(
        grown <= GROWTH_MOST,
        "grown by {grown} bytes on the way out"
    );
}
