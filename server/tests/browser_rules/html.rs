//! Reads a page as a browser does, as far as is needed to see whether marked text became anything but text: an element, an
//! attribute, an address that runs, or a program (HTML Living Standard, 13.2.5).

/// What no page of ours writes itself.
pub const MARKS: [&str; 2] = ["qx", "evil.example"];

/// Elements that would swallow the page or bring in another.
const NEVER: &[&str] = &[
    "plaintext",
    "iframe",
    "object",
    "embed",
    "base",
    "frame",
    "frameset",
    "applet",
    "xmp",
    "noembed",
];

/// Where marked text got out, if it did.
pub fn breaks_out(page: &str) -> Option<String> {
    let mut rest = page;
    while let Some(at) = rest.find('<') {
        let here = &rest[at..];
        let (wrong, length) = if let Some(comment) = here.strip_prefix("<!--") {
            let end = comment.find("-->").unwrap_or(comment.len());
            (marked(&comment[..end]), 4 + end)
        } else if here.starts_with("<!") || here.starts_with("</") || here.starts_with("<?") {
            let end = here.find('>').unwrap_or(here.len());
            (marked(&here[..end]), end)
        } else if here.as_bytes().get(1).is_some_and(u8::is_ascii_alphabetic) {
            let tag = Tag::read(here);
            let (content, whole) = content(here, &tag);
            (tag.is_wrong() || runs(&tag, content), whole)
        } else {
            (false, 1)
        };
        if wrong {
            return Some(here.chars().take(200).collect());
        }
        rest = &here[length..];
    }
    None
}

fn marked(text: &str) -> bool {
    MARKS.iter().any(|mark| text.contains(mark))
}

#[derive(Default)]
struct Tag {
    name: String,
    /// Name, value, whether the value stands in quotes.
    attributes: Vec<(String, String, bool)>,
    /// Up to and with its `>`.
    length: usize,
}

impl Tag {
    fn read(text: &str) -> Self {
        let bytes = text.as_bytes();
        let ends = |byte: u8| byte.is_ascii_whitespace() || byte == b'/' || byte == b'>';
        let until = |from: usize, stop: &dyn Fn(u8) -> bool| {
            (from..bytes.len())
                .find(|at| stop(bytes[*at]))
                .unwrap_or(bytes.len())
        };
        let mut at = until(1, &ends);
        let mut tag = Self {
            name: text[1..at].to_ascii_lowercase(),
            ..Self::default()
        };
        loop {
            at = until(at, &|byte| !byte.is_ascii_whitespace() && byte != b'/');
            if at >= bytes.len() || bytes[at] == b'>' {
                tag.length = (at + 1).min(bytes.len());
                return tag;
            }
            // A name may begin with `=`; browsers take it so.
            let end = until(at + 1, &|byte| ends(byte) || byte == b'=');
            let name = text[at..end].to_ascii_lowercase();
            at = until(end, &|byte| !byte.is_ascii_whitespace());
            if bytes.get(at) != Some(&b'=') {
                tag.attributes.push((name, String::new(), true));
                continue;
            }
            at = until(at + 1, &|byte| !byte.is_ascii_whitespace());
            let quote = bytes
                .get(at)
                .copied()
                .filter(|byte| matches!(byte, b'"' | b'\''));
            let (start, end) = match quote {
                Some(quote) => (at + 1, until(at + 1, &|byte| byte == quote)),
                None => (
                    at,
                    until(at, &|byte| byte.is_ascii_whitespace() || byte == b'>'),
                ),
            };
            let value = text[start.min(end)..end].to_owned();
            tag.attributes.push((name, value, quote.is_some()));
            at = (end + usize::from(quote.is_some())).min(bytes.len());
        }
    }

    fn is_wrong(&self) -> bool {
        NEVER.contains(&self.name.as_str())
            || marked(&self.name)
            || self.attributes.iter().any(|(name, value, quoted)| {
                let address: String = value
                    .chars()
                    .filter(|letter| !letter.is_control() && *letter != ' ')
                    .collect::<String>()
                    .to_ascii_lowercase();
                name.starts_with("on")
                    || name == "style"
                    || name == "srcdoc"
                    || name == "http-equiv"
                    || marked(name)
                    || (marked(value) && !quoted)
                    || (matches!(
                        name.as_str(),
                        "href" | "src" | "action" | "formaction" | "data"
                    ) && (address.starts_with("javascript:")
                        || address.starts_with("data:")
                        || address.starts_with("//")))
            })
    }
}

/// What stands in an element whose content is not markup, and the length up to its end; else nothing and the tag's own.
fn content<'a>(here: &'a str, tag: &Tag) -> (&'a str, usize) {
    if !matches!(tag.name.as_str(), "script" | "style" | "title" | "textarea") {
        return ("", tag.length);
    }
    let inside = &here[tag.length..];
    let end = inside
        .to_ascii_lowercase()
        .find(&format!("</{}", tag.name))
        .unwrap_or(inside.len());
    (&inside[..end], tag.length + end)
}

/// Whether marked text in the content would do anything.
fn runs(tag: &Tag, content: &str) -> bool {
    match tag.name.as_str() {
        "style" => marked(content),
        // A script that holds these does not end where it seems to.
        "script" => content.contains("<!--") || content.contains("<script") || runs_in_js(content),
        _ => false,
    }
}

/// Marked text outside a string, or in one that runs what it holds.
fn runs_in_js(program: &str) -> bool {
    let mut outside = String::new();
    let mut letters = program.chars();
    while let Some(letter) = letters.next() {
        if !matches!(letter, '"' | '\'' | '`') {
            outside.push(letter);
            continue;
        }
        let mut ended = false;
        while let Some(inner) = letters.next() {
            match inner {
                '\\' => {
                    letters.next();
                }
                '\n' if letter != '`' => break,
                _ if inner == letter => {
                    ended = true;
                    break;
                }
                _ if letter == '`' => outside.push(inner),
                _ => {}
            }
        }
        if !ended {
            // A string that does not end where it should is not one.
            return true;
        }
    }
    marked(&outside)
}

#[test]
fn what_breaks_out_is_found_and_what_stays_text_is_not() {
    for wrong in [
        "<p><script>qx(1)</script></p>",
        "<title>a</title><script>qx(1)</script></title>",
        "<input value=\"\" autofocus onfocus=\"qx(1)\">",
        "<input value=''><img src=x onerror=qx(1)>'>",
        "<input value=qx(1)>",
        "<p><svg/onload=qx(1)></p>",
        "<a href=\"javascript:qx(1)\">x</a>",
        "<a href=\" java\tscript:qx(1)\">x</a>",
        "<a href=\"//evil.example\">x</a>",
        "<p><plaintext>qx(1)",
        "<meta http-equiv=refresh content=0;url=//evil.example>",
        "<!-- qx(1) -->",
        "<!--a--><script>qx(1)</script>-->",
        "<style>qx(1)</style>",
        "<script>a = \"b\"; qx(1); (\"\")</script>",
        "<script>a = `${qx(1)}`</script>",
        "<script>a = \"\\\\\"; qx(1); //\"</script>",
        "<script>a = \"<!--<script>qx(1)\"</script>",
        "<script>a = \"</script><script>qx(1)\"</script>",
    ] {
        assert!(breaks_out(wrong).is_some(), "{wrong}");
    }
    for right in [
        "<!DOCTYPE html><html lang=\"en-GB\"><body><p>qx(1)</p></body></html>",
        "<p>&lt;script>qx(1)&lt;/script></p>",
        "<p>\" autofocus onfocus=\"qx(1)</p>",
        "<p>a < b, 1<2, --> qx(1)</p>",
        "<input value=\"&quot; autofocus onfocus=&quot;qx(1)\" hidden>",
        "<input value=\"'><img src=x onerror=qx(1)>\">",
        "<title>&lt;/title>qx(1)</title>",
        "<script nonce=\"x\">a = \"\\u003cscript>qx(1) \\\"); qx(1); (\\\"\"; b = 'qx'</script><p>y</p>",
        "<a href=\"/people?q=javascript:qx(1)\">x</a>",
        "<!----><p>qx(1)</p><!>",
    ] {
        assert_eq!(breaks_out(right), None, "{right}");
    }
}
