//! What both families of office documents may hold, and what they may point at.

use crate::{
    budget::Budget,
    magic::{contains, is_program, utf16},
    ooxml,
};
use domain::file::Fault;

/// Looks at one part that is no markup.
///
/// Charts bring their workbook and equations their own object, which stay. Refused are programs, other documents, and what
/// the packager of Windows wrapped: any file, with the icon of another (MITRE ATT&CK T1027.009, T1204.002).
pub fn look(content: &[u8], budget: &mut Budget) -> Result<(), Fault> {
    if content.starts_with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") {
        if contains(content, &utf16("_VBA_PROJECT")) {
            return Err(Fault::Macros);
        }
        if contains(content, &utf16("\u{1}Ole10Native")) {
            return Err(Fault::Inside);
        }
    } else if content.starts_with(b"PK\x03\x04") {
        return budget.within(|budget| ooxml::embedded(content, budget));
    } else if is_program(&content[..content.len().min(1024)])
        || content.starts_with(b"%PDF-")
        || content.starts_with(b"{\\rtf")
    {
        return Err(Fault::Inside);
    }
    Ok(())
}

/// What follows the last dot of a name, in small letters as names are looked up here.
pub fn ending(name: &str) -> &str {
    name.rsplit_once('.').map_or("", |(_, ending)| ending)
}

/// Whether an address leads to nothing but the reader's own disk, or nowhere: opening it tells nobody and fetches nothing.
///
/// Documents name the template on the author's disk, and pictures that came with a letter (`cid:`); a share of the network is
/// a computer that learns who opens it, and gets a password's hash on top (MITRE ATT&CK T1187, T1221).
pub fn is_local(address: &str) -> bool {
    let address = address.trim();
    let lower = address.to_ascii_lowercase();
    let path = match lower.strip_prefix("file:") {
        Some(path) => {
            let here = ["///", "//localhost/"];
            match here.iter().find_map(|prefix| path.strip_prefix(prefix)) {
                Some(path) => path,
                None => return false,
            }
        }
        None => lower.as_str(),
    };
    if path.starts_with("cid:") {
        return true;
    }
    let on_drive = matches!(path.as_bytes(), [drive, b':' | b'|', b'/' | b'\\', ..] if drive.is_ascii_alphabetic());
    let other_computer = path.starts_with("//")
        || path.starts_with('\\')
        || path.starts_with('%')
        || path.starts_with("/\\")
        || (lower.len() != path.len() && path.starts_with('/'));
    let scheme = path
        .split_once(':')
        .is_some_and(|(before, _)| !before.contains(['/', '#', '?']));
    on_drive || !(other_computer || scheme)
}

#[cfg(test)]
mod tests {
    use super::is_local;

    #[test]
    fn a_link_to_the_readers_own_disk_tells_nobody() {
        for address in [
            "",
            "#Heading",
            "Pictures/1.png",
            "../letterhead.dotx",
            "Budget.xlsx",
            r"file:///C:\Users\joan\Templates\Letter.dotx",
            "file:///S:/Templates/Letter.dotx",
            r"C:\x.dotx",
            "file:///usr/share/x.ott",
            "file://localhost/Users/joan/x.png",
            "/Templates/x.ott",
            "cid:image001.png@01D9",
        ] {
            assert!(is_local(address), "{address}");
        }
        for address in [
            "http://a.example/x.dotm",
            "HTTPS://a.example",
            r"\\server\share\x.dotx",
            r"file:///\\server\share\x.dotx",
            "file:////server/share/x",
            "file://server/share/x",
            "file://localhost//server/share/x",
            "file://localhost.example/x",
            "file:///%5C%5Cserver/x",
            "//a.example/x.png",
            "mhtml:http://a.example",
            "ms-msdt:/id",
            r"\\?\UNC\server\x",
            "file:server/x",
        ] {
            assert!(!is_local(address), "{address}");
        }
    }
}
