//! A form that brings a file: its fields, and the text of the file as one of them, as a form without a file would send them.

use axum::{
    body::{Body, Bytes},
    extract::{FromRequest as _, Multipart, Request},
    http::request::Parts,
};
use domain::Refusal;
use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

/// The fields, and why a file among them was refused; nothing where the form is none.
pub async fn fields(
    parts: &Parts,
    whole: Bytes,
) -> Option<(Vec<(String, String)>, Option<Refusal>)> {
    // It has been read within its measure already.
    let mut request = Request::new(Body::from(whole));
    *request.headers_mut() = parts.headers.clone();
    request
        .extensions_mut()
        .insert(axum::extract::DefaultBodyLimit::disable());
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
