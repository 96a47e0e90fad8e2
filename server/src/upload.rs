//! A form that brings a file: its fields, and the text of the file as one of them, as a form without a file would send them.

use std::time::Duration;

use axum::{
    body::{Body, Bytes},
    extract::{DefaultBodyLimit, FromRequest as _, Multipart, Request},
    http::{HeaderValue, request::Parts},
};
use domain::{Refusal, db::Caller};
use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};
use tokio::time::timeout;
use uuid::Uuid;

use crate::router::Site;

/// Longest silence between two parts of a form of documents.
pub(crate) const FIELD_WAIT: Duration = Duration::from_secs(30);
/// Longest field of it that is no file, in bytes.
const FIELD_MOST: usize = 8 * 1024;
/// What is taken of a form that is refused already.
const DRAINED_MOST: usize = 256 << 20;
/// Most of these.
const FIELDS_MOST: usize = 40;

/// The fields, and why a file among them was refused; nothing where the form is none.
pub async fn fields(
    parts: &Parts,
    whole: Bytes,
) -> Option<(Vec<(String, String)>, Option<Refusal>)> {
    // It has been read within its measure already.
    let mut request = Request::new(Body::from(whole));
    *request.headers_mut() = parts.headers.clone();
    DefaultBodyLimit::disable().apply(&mut request);
    let mut form = Multipart::from_request(request, &()).await.ok()?;
    let (mut fields, mut refusal) = (Vec::new(), None);
    while let Some(field) = form.next_field().await.ok()? {
        let name = field.name()?.to_owned();
        let is_file = field.file_name().is_some();
        let bytes = field.bytes().await.ok()?;
        let value = if is_file {
            decoded(&bytes).unwrap_or_else(|refused| {
                refusal = Some(refused);
                String::new()
            })
        } else {
            String::from_utf8(bytes.to_vec()).ok()?
        };
        fields.push((name, value));
    }
    Some((fields, refusal))
}

/// Whether a form of documents is posted there: the page that adds some to a folder, or a version to one.
pub fn is_for(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    matches!(parts[..], ["library" | "papers", id, "add"] if Uuid::try_parse(id).is_ok())
}

/// What was typed, and why it was not done.
pub(crate) type NotDone = (Vec<(String, String)>, Refusal);

/// A form of documents, as it comes without a script: its fields, then its files, each of which is taken as it comes. Where to go
/// on; or what was typed, and why a file was not taken. What came before that file is filed, and said.
pub async fn filed(site: &Site, parts: &Parts, body: Body) -> Result<HeaderValue, NotDone> {
    let mut request = Request::new(body);
    *request.headers_mut() = parts.headers.clone();
    DefaultBodyLimit::disable().apply(&mut request);
    let mut fields: Vec<(String, String)> = Vec::new();
    let Some(caller) = parts.extensions.get::<Caller>().cloned() else {
        return Err((fields, Refusal::SignedOut));
    };
    let Ok(mut form) = Multipart::from_request(request, &()).await else {
        return Err((fields, Refusal::UploadLost));
    };
    let page: Vec<&str> = parts.uri.path().split('/').skip(1).collect();
    let subject = match page[..] {
        ["library", folder, _] => ("folder", folder),
        ["papers", document, _] => ("document", document),
        _ => return Err((fields, Refusal::NotFound)),
    };
    let mut taken = Vec::new();
    loop {
        let field = match timeout(FIELD_WAIT, form.next_field()).await {
            Ok(Ok(Some(field))) => field,
            Ok(Ok(None)) => break,
            Ok(Err(_)) | Err(_) => return Err((fields, Refusal::UploadLost)),
        };
        let name = field.name().unwrap_or_default().to_owned();
        let Some(file) = field.file_name().map(str::to_owned) else {
            match text(field).await {
                Some(value) if fields.len() < FIELDS_MOST => fields.push((name, value)),
                _ => return Err((fields, Refusal::UploadLost)),
            }
            continue;
        };
        if file.is_empty() {
            continue;
        }
        let mut said = fields.clone();
        said.push((subject.0.to_owned(), subject.1.to_owned()));
        // One title is not that of several.
        if !taken.is_empty() {
            said.retain(|(name, _)| name != "title");
        }
        let done = site
            .files
            .take_whole(site, &caller, &file, &said, Box::pin(field))
            .await;
        match done {
            Ok(done) => taken.push(done),
            Err(refusal) => {
                fields.push(("filed".to_owned(), taken.len().to_string()));
                drain(form).await;
                return Err((fields, refusal));
            }
        }
    }
    let to = match (&taken[..], subject.0) {
        ([], _) => return Err((fields, Refusal::NoFile)),
        ([one], _) => format!(
            "/papers/{}?done=filed&meanwhile={}",
            one.filed.document,
            one.meanwhile.len()
        ),
        (several, _) => format!("/library/{}?done={}", subject.1, several.len()),
    };
    HeaderValue::from_str(&to).map_err(|_| (fields, Refusal::Broken))
}

/// Takes what is still to come: a browser that is answered before it has sent all of it sees a broken connection, and no sentence.
pub(crate) async fn drain(mut form: Multipart) {
    let mut came = 0;
    while let Ok(Ok(Some(mut field))) = timeout(FIELD_WAIT, form.next_field()).await {
        while let Ok(Ok(Some(piece))) = timeout(FIELD_WAIT, field.chunk()).await {
            came += piece.len();
            if came > DRAINED_MOST {
                return;
            }
        }
    }
}

/// The text of a field that is no file; none where it is too long, too slow or no text.
pub(crate) async fn text(mut field: axum::extract::multipart::Field<'_>) -> Option<String> {
    let mut bytes = Vec::new();
    while let Some(piece) = timeout(FIELD_WAIT, field.chunk()).await.ok()?.ok()? {
        bytes.extend_from_slice(&piece);
        if bytes.len() > FIELD_MOST {
            return None;
        }
    }
    String::from_utf8(bytes).ok()
}

/// The text of a file: in the encoding that it is marked with, else UTF-8, else what spreadsheets of this country write
/// (Windows-1252). Refuses [`Refusal::NotText`] where there is a byte that no text has.
fn decoded(bytes: &[u8]) -> Result<String, Refusal> {
    let marked = Encoding::for_bom(bytes);
    let encoding = match marked {
        Some((encoding, _)) => encoding,
        None if std::str::from_utf8(bytes).is_ok() => UTF_8,
        None => WINDOWS_1252,
    };
    let (text, _, faulty) = encoding.decode(bytes);
    let text_only = text
        .chars()
        .all(|c| !c.is_control() || matches!(c, '\t' | '\n' | '\r'));
    if faulty || !text_only {
        return Err(Refusal::NotText);
    }
    Ok(text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_read_in_whatever_encoding_it_was_saved() {
        let text = "siân@x.example;Siân O’Neil\r\n";
        let utf16: Vec<u8> = std::iter::once(0xfeff)
            .chain(text.encode_utf16())
            .flat_map(u16::to_le_bytes)
            .collect();
        let windows: Vec<u8> = WINDOWS_1252.encode(text).0.into_owned();
        assert_eq!(windows[2], 0xe2);
        for bytes in [
            text.as_bytes(),
            &utf16,
            &windows,
            format!("\u{feff}{text}").as_bytes(),
        ] {
            assert_eq!(decoded(bytes).unwrap(), text);
        }
        assert_eq!(decoded(b"").unwrap(), "");
    }

    #[test]
    fn what_is_no_text_is_refused() {
        for bytes in [
            &b"PK\x03\x04\x14\x00\x06\x00"[..],
            b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n\x00",
            b"\x89PNG\r\n\x1a\n",
            b"\xff\xfea\x00b",
        ] {
            assert_eq!(decoded(bytes), Err(Refusal::NotText), "{bytes:?}");
        }
    }
}
