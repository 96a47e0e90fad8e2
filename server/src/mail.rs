//! Letters: what they say, and how they leave, by SMTP or, with no SMTP configured, into a folder a developer can read.

mod digest;

use std::{
    net::IpAddr,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use domain::{
    mailing::{Kind, Letter, LinkToken},
    notice::letter::Digest,
};
use html_escape::encode_quoted_attribute as escape;
use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{
        Mailbox, MessageBuilder, MultiPart,
        header::{HeaderName, HeaderValue},
    },
    transport::smtp::{
        authentication::Credentials,
        client::{Certificate, TlsParameters},
        extension::ClientId,
    },
};
use secrecy::{ExposeSecret, SecretString};
use time::{Date, Month, OffsetDateTime, UtcOffset, Weekday, macros::format_description};
use tokio::io::AsyncWriteExt;

/// Longest wait for one letter to be taken.
const PATIENCE: Duration = Duration::from_mins(1);
/// How a certificate in PEM begins (RFC 7468).
const PEM: &[u8] = b"-----BEGIN CERTIFICATE-----";

/// How the connection to the mail server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// TLS from the first byte (port 465, RFC 8314).
    Implicit,
    /// Upgraded by STARTTLS (port 587); nothing is sent when the server does not offer it.
    StartTls,
    /// In the clear: to this machine only.
    None,
}

/// The mail server of the installation.
#[derive(Clone, Debug)]
pub struct SmtpConfig {
    /// Its name, which its certificate must carry.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: Tls,
    /// Who we are to it; needs `password`.
    pub user: Option<String>,
    /// Proof of it.
    pub password: Option<SecretString>,
    /// The sender, as `Quorate <quorate@example.org>`.
    pub from: String,
    /// A certificate authority in PEM to trust besides the public ones, for a server with a private one.
    pub authority: Option<Vec<u8>>,
}

/// Where links lead: `https` and `example.org`, or `http` and `localhost:3000`. The tenant's label goes in front.
#[derive(Clone, Debug)]
pub struct Links {
    /// `http` or `https`.
    pub scheme: String,
    /// The bare host, with its port unless it is the scheme's own.
    pub host: String,
}

impl Links {
    fn to(&self, letter: &Letter, token: &LinkToken) -> String {
        let page = match letter.kind {
            Kind::Invitation => "invitation",
            Kind::Reset => "reset",
        };
        format!("{}/{page}/{}", self.of(&letter.label), token.text())
    }

    /// A tenant's own origin.
    fn of(&self, label: &str) -> String {
        format!("{}://{label}.{}", self.scheme, self.host)
    }

    /// The host without its port.
    fn domain(&self) -> &str {
        self.host
            .rsplit_once(':')
            .map_or(&self.host, |(name, _)| name)
    }
}

/// A configuration that cannot work, in one sentence for whoever starts the server.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// [`Tls::None`] to another machine.
    #[error(
        "mail to another machine must be encrypted: set the mail server's TLS to implicit or starttls"
    )]
    InTheClear,
    /// Not an address.
    #[error("the sender of mail must be an address like Quorate <quorate@example.org>")]
    From,
    /// One without the other.
    #[error("the mail server's user and password must be set together")]
    HalfCredentials,
    /// Not a certificate.
    #[error("the mail server's certificate authority is not a certificate in PEM")]
    Authority,
    /// The TLS library refuses.
    #[error("TLS to the mail server cannot be set up")]
    Tls,
    /// The folder cannot be made.
    #[error("the folder for mail cannot be made: {0}")]
    Folder(#[from] std::io::Error),
}

/// Why a letter did not leave. No reply of a server is quoted: it may carry the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// The recipient is refused for good: the mailbox class of replies, 550 to 559 (RFC 5321, 4.2.3).
    #[error("the recipient is refused with {0}")]
    Refused(u16),
    /// What the account carries is no address that mail can go to.
    #[error("the address is not one that mail can go to")]
    BadAddress,
    /// The server answered with this code; another try may pass.
    #[error("the mail server answers {0}")]
    Answered(u16),
    /// The server cannot be reached, or not safely.
    #[error("the mail server does not answer")]
    Unreachable,
    /// The letter could not be composed or written.
    #[error("the letter could not be made")]
    Broken,
}

enum Way {
    Smtp(AsyncSmtpTransport<Tokio1Executor>),
    Folder(PathBuf),
}

/// Composes letters and sends them.
pub struct Mailer {
    way: Way,
    from: Mailbox,
    links: Links,
}

impl std::fmt::Debug for Mailer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mailer")
            .field("links", &self.links)
            .finish_non_exhaustive()
    }
}

impl Mailer {
    /// Sends through a mail server. Connects only when there is something to send.
    pub fn smtp(config: &SmtpConfig, links: Links) -> Result<Self, SetupError> {
        let from = config.from.parse().map_err(|_| SetupError::From)?;
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&config.host)
            .port(config.port)
            .hello_name(ClientId::Domain(links.domain().to_owned()))
            .timeout(Some(Duration::from_secs(20)))
            .tls(protection(config)?);
        builder = match (&config.user, &config.password) {
            (Some(user), Some(password)) => builder.credentials(Credentials::new(
                user.clone(),
                password.expose_secret().to_owned(),
            )),
            (None, None) => builder,
            _ => return Err(SetupError::HalfCredentials),
        };
        Ok(Self {
            way: Way::Smtp(builder.build()),
            from,
            links,
        })
    }

    /// Writes each letter as an `.eml` file, readable by this user only.
    pub fn folder(folder: &Path, links: Links) -> Result<Self, SetupError> {
        use std::os::unix::fs::DirBuilderExt;
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
        let address = Address::new("quorate", links.domain()).map_err(|_| SetupError::From)?;
        let from = Mailbox::new(Some("Quorate".to_owned()), address);
        Ok(Self {
            way: Way::Folder(folder.to_owned()),
            from,
            links,
        })
    }

    /// The letter with its link, as it is sent; `now` is when the link's time starts.
    ///
    /// Refuses [`MailError::BadAddress`].
    pub fn compose(
        &self,
        letter: &Letter,
        token: &LinkToken,
        now: OffsetDateTime,
    ) -> Result<Message, MailError> {
        let link = self.links.to(letter, token);
        let draft = self.draft(&letter.email, &letter.name, now)?;
        finish(draft, &words(letter, now), &link)
    }

    /// The letter of notices and of what waits, as it is sent.
    ///
    /// Refuses [`MailError::BadAddress`].
    pub fn compose_digest(
        &self,
        digest: &Digest,
        now: OffsetDateTime,
    ) -> Result<Message, MailError> {
        let home = self.links.of(&digest.label);
        let draft = self.draft(&digest.email, &digest.name, now)?;
        // RFC 2369: a page behind the door, since what waits for somebody cannot be switched off by whoever has the letter.
        let draft = draft.raw_header(HeaderValue::new(
            HeaderName::new_from_ascii_str("List-Unsubscribe"),
            format!("<{home}/me/notices>"),
        ));
        finish(draft, &digest::words(digest, &home), &home)
    }

    /// A letter as far as all are alike.
    fn draft(
        &self,
        email: &str,
        name: &str,
        now: OffsetDateTime,
    ) -> Result<MessageBuilder, MailError> {
        let address: Address = email.parse().map_err(|_| MailError::BadAddress)?;
        Ok(Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(Some(one_line(name)), address))
            .date(SystemTime::from(now))
            // Its own for each try: a receiver that drops repeats must not keep the one whose link is dead.
            .message_id(Some(format!(
                "<{}@{}>",
                random_name()?,
                self.links.domain()
            )))
            // RFC 3834: nobody's "out of office" answers this.
            .raw_header(HeaderValue::new(
                HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated".into(),
            )))
    }

    /// Hands the letter over. `Ok` means that the server (or the disk) has it.
    pub async fn send(&self, message: &Message, now: OffsetDateTime) -> Result<(), MailError> {
        match &self.way {
            Way::Folder(folder) => write(folder, message, now).await,
            Way::Smtp(transport) => {
                match tokio::time::timeout(
                    PATIENCE,
                    transport.send_raw(message.envelope(), &message.formatted()),
                )
                .await
                {
                    Ok(Ok(_)) => Ok(()),
                    Ok(Err(error)) => {
                        Err(refusal(error.status().map(u16::from), error.is_permanent()))
                    }
                    Err(_) => Err(MailError::Unreachable),
                }
            }
        }
    }

    /// Whether mail could be handed over now: the server greets us and takes our password.
    ///
    /// Refuses as [`Mailer::send`], and never for a recipient: none is named.
    pub async fn check(&self) -> Result<(), MailError> {
        match &self.way {
            Way::Folder(folder) => match tokio::fs::metadata(folder).await {
                Ok(it) if it.is_dir() => Ok(()),
                _ => Err(MailError::Broken),
            },
            Way::Smtp(transport) => {
                match tokio::time::timeout(PATIENCE, transport.test_connection()).await {
                    Ok(Ok(true)) => Ok(()),
                    Ok(Err(error)) => Err(error.status().map_or(MailError::Unreachable, |code| {
                        MailError::Answered(code.into())
                    })),
                    Ok(Ok(false)) | Err(_) => Err(MailError::Unreachable),
                }
            }
        }
    }
}

fn finish(draft: MessageBuilder, words: &Words, link: &str) -> Result<Message, MailError> {
    draft
        .subject(&words.subject)
        .multipart(MultiPart::alternative_plain_html(
            words.text(link),
            words.html(link),
        ))
        .map_err(|_| MailError::Broken)
}

fn protection(config: &SmtpConfig) -> Result<lettre::transport::smtp::client::Tls, SetupError> {
    use lettre::transport::smtp::client::Tls as Way;
    if config.tls == Tls::None {
        let here = config.host == "localhost"
            || config
                .host
                .parse::<IpAddr>()
                .is_ok_and(|address| address.is_loopback());
        return if here {
            Ok(Way::None)
        } else {
            Err(SetupError::InTheClear)
        };
    }
    let mut parameters = TlsParameters::builder(config.host.clone());
    if let Some(pem) = &config.authority {
        // A file without any certificate is no error to the library, and would leave the public authorities alone.
        if !pem.windows(PEM.len()).any(|part| part == PEM) {
            return Err(SetupError::Authority);
        }
        parameters = parameters
            .add_root_certificate(Certificate::from_pem(pem).map_err(|_| SetupError::Authority)?);
    }
    let parameters = parameters.build_rustls().map_err(|_| SetupError::Tls)?;
    Ok(if config.tls == Tls::Implicit {
        Way::Wrapper(parameters)
    } else {
        Way::Required(parameters)
    })
}

/// Only the mailbox class is about the recipient. A wrong password or a full queue is ours to mend, and the letter waits.
fn refusal(code: Option<u16>, permanent: bool) -> MailError {
    match code {
        Some(code @ 550..=559) if permanent => MailError::Refused(code),
        Some(code) => MailError::Answered(code),
        None => MailError::Unreachable,
    }
}

/// Under another name until it is whole, so that a reader never sees half a letter.
async fn write(folder: &Path, message: &Message, now: OffsetDateTime) -> Result<(), MailError> {
    let millis = now.unix_timestamp_nanos() / 1_000_000;
    let name = format!("{millis:013}-{}.eml", random_name()?);
    let unfinished = folder.join(format!(".{name}"));
    let written = async {
        let mut file = tokio::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&unfinished)
            .await?;
        file.write_all(&message.formatted()).await?;
        file.flush().await?;
        tokio::fs::rename(&unfinished, folder.join(&name)).await
    };
    written.await.map_err(|error: std::io::Error| {
        tracing::error!(%error, "a letter cannot be written to the mail folder");
        MailError::Broken
    })
}

/// 128 random bits in hexadecimal.
fn random_name() -> Result<String, MailError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|_| MailError::Broken)?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}

/// A letter in words, before its link.
struct Words {
    subject: String,
    greeting: String,
    before: String,
    /// Headings, each with its lines.
    lists: Vec<(&'static str, Vec<String>)>,
    button: &'static str,
    after: Vec<String>,
}

/// Names what the reader knows already, and nothing that a stranger who reads the letter could use.
fn words(letter: &Letter, now: OffsetDateTime) -> Words {
    let place = one_line(&letter.place);
    let until = uk_time(now + letter.kind.life());
    let greeting = format!("Hello {},", one_line(&letter.name));
    match letter.kind {
        // Of the child not even the first name: whoever typed the address may have mistyped it, and a letter is read by others.
        Kind::Invitation if letter.as_parent => Words {
            subject: format!("{place} invites you as a parent or carer"),
            greeting,
            before: format!(
                "{place} invites you to its pages for parents and carers. There you read what the school puts on record for you, and you can say something to it. Open this link to accept:"
            ),
            lists: vec![],
            button: "Accept the invitation",
            after: vec![
                format!("The link works once, until {until}. If it has run out, ask {place} to invite you again."),
                "Keep the link to yourself: whoever opens it can accept in your place.".to_owned(),
                format!("If you have no child at {place}, this letter came to you by mistake. You need not do anything: nothing happens unless you accept."),
            ],
        },
        Kind::Invitation => Words {
            subject: format!("{place} invites you to its Quorate"),
            greeting,
            before: format!(
                "{place} invites you to its Quorate, where its people read papers and keep records. Open this link to accept:"
            ),
            lists: vec![],
            button: "Accept the invitation",
            after: vec![
                format!("The link works once, until {until}. If it has run out, ask {place} to invite you again."),
                "Keep the link to yourself: whoever opens it can accept in your place.".to_owned(),
                "If you did not expect this, you need not do anything. Nothing happens unless you accept.".to_owned(),
            ],
        },
        Kind::Reset => Words {
            subject: "Choose a new password for Quorate".to_owned(),
            greeting,
            before: format!(
                "Somebody, most likely you, asked for a new password for your account on Quorate at {place}. Open this link to choose one:"
            ),
            lists: vec![],
            button: "Choose a new password",
            after: vec![
                format!("The link works once, until {until}. If it has run out, ask for another one on the sign-in page."),
                "Keep the link to yourself. If you sign in with a code from your phone as well, you will still need it.".to_owned(),
                format!(
                    "If you did not ask for this, you need not do anything: your password stays as it is. If it happens again, tell {place}."
                ),
            ],
        },
    }
}

impl Words {
    fn text(&self, link: &str) -> String {
        let lists: Vec<String> = self
            .lists
            .iter()
            .map(|(heading, lines)| format!("{heading}\r\n- {}\r\n\r\n", lines.join("\r\n- ")))
            .collect();
        format!(
            "{}\r\n\r\n{}\r\n\r\n{lists}{link}\r\n\r\n{}\r\n",
            self.greeting,
            self.before,
            self.after.join("\r\n\r\n"),
            lists = lists.concat(),
        )
    }

    /// No picture, no style, nothing fetched: it cannot tell anybody that it was read.
    fn html(&self, link: &str) -> String {
        let lists: Vec<String> = self
            .lists
            .iter()
            .map(|(heading, lines)| {
                let lines: Vec<String> = lines
                    .iter()
                    .map(|line| format!("<li>{}</li>\r\n", escape(line)))
                    .collect();
                format!(
                    "<h2>{}</h2>\r\n<ul>\r\n{}</ul>\r\n",
                    escape(*heading),
                    lines.concat()
                )
            })
            .collect();
        let after: Vec<String> = self
            .after
            .iter()
            .map(|line| format!("<p>{}</p>\r\n", escape(line)))
            .collect();
        format!(
            "<!doctype html>\r\n<html lang=\"en-GB\"><head><meta charset=\"utf-8\"><title>{}</title></head>\r\n<body>\r\n\
             <p>{}</p>\r\n<p>{}</p>\r\n{lists}<p><a href=\"{link}\">{}</a></p>\r\n{after}\
             <p>If the link does not open, copy this address into your browser:<br>{link}</p>\r\n</body></html>\r\n",
            escape(&self.subject),
            escape(&self.greeting),
            escape(&self.before),
            self.button,
            lists = lists.concat(),
            after = after.concat(),
            link = escape(link),
        )
    }
}

/// The database admits no control characters in names. A header cannot be broken out of even if it did.
fn one_line(text: &str) -> String {
    let turns = |letter: char| matches!(letter, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let flat: String = text
        .chars()
        .map(|letter| {
            if letter.is_control() || turns(letter) {
                ' '
            } else {
                letter
            }
        })
        .collect();
    flat.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// "15:42 on Saturday 28 November 2026 (UK time)". Schools' clocks are the United Kingdom's: an hour ahead of UTC from
/// the last Sunday of March, 01:00 UTC, to that of October (Summer Time Order 2002).
fn uk_time(moment: OffsetDateTime) -> String {
    let moment = moment.to_offset(UtcOffset::UTC);
    let turn = |month| {
        last_sunday(moment.year(), month).map(|day| {
            day.with_hms(1, 0, 0)
                .map(time::PrimitiveDateTime::assume_utc)
        })
    };
    let summer = match (turn(Month::March), turn(Month::October)) {
        (Some(Ok(start)), Some(Ok(end))) => moment >= start && moment < end,
        _ => false,
    };
    let here = if summer {
        moment + Duration::from_hours(1)
    } else {
        moment
    };
    let format = format_description!(
        "[hour]:[minute] on [weekday] [day padding:none] [month repr:long] [year]"
    );
    here.format(&format)
        .map_or_else(|_| String::new(), |text| format!("{text} (UK time)"))
}

fn last_sunday(year: i32, month: Month) -> Option<Date> {
    let mut day = Date::from_calendar_date(year, month, 31).ok()?;
    while day.weekday() != Weekday::Sunday {
        day = day.previous_day()?;
    }
    Some(day)
}

#[cfg(test)]
mod tests {
    use mail_parser::{MessageParser, MimeHeaders};
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-21 15:42:10 UTC);

    fn joan() -> Letter {
        Letter {
            kind: Kind::Invitation,
            email: "joan@oakfield.example".into(),
            name: "Joan Whitlock".into(),
            place: "Oakfield Primary School".into(),
            label: "oakfield".into(),
            as_parent: false,
        }
    }

    fn mailer() -> (tempfile::TempDir, Mailer) {
        let folder = tempfile::tempdir().unwrap();
        let links = Links {
            scheme: "http".into(),
            host: "localhost:3000".into(),
        };
        let mailer = Mailer::folder(&folder.path().join("mail"), links).unwrap();
        (folder, mailer)
    }

    fn config() -> SmtpConfig {
        SmtpConfig {
            host: "127.0.0.1".into(),
            port: 25,
            tls: Tls::None,
            user: None,
            password: None,
            from: "Quorate <quorate@oakfield.example>".into(),
            authority: None,
        }
    }

    #[test]
    fn joan_reads_who_invites_her_where_to_go_and_until_when() {
        let (_folder, mailer) = mailer();
        let token = LinkToken::random().unwrap();
        let sent = mailer.compose(&joan(), &token, NOW).unwrap().formatted();
        let mail = MessageParser::default().parse(&sent).unwrap();
        let link = format!("http://oakfield.localhost:3000/invitation/{}", token.text());
        let text = mail.body_text(0).unwrap();
        assert_eq!(
            mail.subject(),
            Some("Oakfield Primary School invites you to its Quorate")
        );
        assert!(
            text.contains("Hello Joan Whitlock,") && text.contains(&link),
            "{text}"
        );
        assert!(
            text.contains("until 15:42 on Saturday 28 November 2026 (UK time)"),
            "{text}"
        );
        assert!(text.contains("did not expect this"), "{text}");
        let html = mail.body_html(0).unwrap();
        assert!(
            html.contains(&format!("<a href=\"{link}\">Accept the invitation</a>")),
            "{html}"
        );
        assert!(
            !html.contains("<img") && !html.contains("src=") && !html.contains("<link"),
            "{html}"
        );
        assert_eq!(
            mail.header_raw("Auto-Submitted").map(str::trim),
            Some("auto-generated")
        );
        assert!(mail.message_id().unwrap().ends_with("@localhost"));
        assert_eq!(mail.date().unwrap().to_rfc3339(), "2026-11-21T15:42:10Z");
        let to = mail.to().unwrap().first().unwrap();
        assert_eq!(
            (to.name(), to.address()),
            (Some("Joan Whitlock"), Some("joan@oakfield.example"))
        );
        assert!(mail.part(1).unwrap().content_type().unwrap().subtype() == Some("plain"));
    }

    #[test]
    fn a_parent_reads_whose_school_invites_them_and_nothing_of_a_child() {
        let (_folder, mailer) = mailer();
        let token = LinkToken::random().unwrap();
        let letter = Letter {
            as_parent: true,
            ..joan()
        };
        let sent = mailer.compose(&letter, &token, NOW).unwrap().formatted();
        let mail = MessageParser::default().parse(&sent).unwrap();
        assert_eq!(
            mail.subject(),
            Some("Oakfield Primary School invites you as a parent or carer")
        );
        let text = mail.body_text(0).unwrap();
        for part in [
            "Hello Joan Whitlock,",
            "for parents and carers",
            "until 15:42 on Saturday 28 November 2026 (UK time)",
            "If you have no child at Oakfield Primary School",
            &format!("http://oakfield.localhost:3000/invitation/{}", token.text()),
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        // A password is chosen by the same link as everybody's, and with a parent's role a new one is no invitation.
        let reset = Letter {
            kind: Kind::Reset,
            ..letter
        };
        let sent = mailer.compose(&reset, &token, NOW).unwrap().formatted();
        let mail = MessageParser::default().parse(&sent).unwrap();
        assert_eq!(mail.subject(), Some("Choose a new password for Quorate"));
    }

    #[test]
    fn a_reset_leads_to_the_schools_own_host_and_lasts_half_an_hour() {
        let (_folder, mailer) = mailer();
        let token = LinkToken::random().unwrap();
        let letter = Letter {
            kind: Kind::Reset,
            ..joan()
        };
        let sent = mailer.compose(&letter, &token, NOW).unwrap().formatted();
        let mail = MessageParser::default().parse(&sent).unwrap();
        let text = mail.body_text(0).unwrap();
        assert!(
            text.contains(&format!(
                "http://oakfield.localhost:3000/reset/{}",
                token.text()
            )),
            "{text}"
        );
        assert!(
            text.contains("until 16:12 on Saturday 21 November 2026"),
            "{text}"
        );
        assert!(text.contains("did not ask for this"), "{text}");
    }

    #[test]
    fn no_name_breaks_out_of_a_header_or_of_the_page() {
        let (_folder, mailer) = mailer();
        let token = LinkToken::random().unwrap();
        for evil in [
            "Joan\r\nBcc: eve@evil.example",
            "Joan\nBcc: eve@evil.example\n\n<script>alert(1)</script>",
            "Joan\u{2028}Bcc: eve@evil.example",
            "\"Joan\" <eve@evil.example>, Dilip",
            "Joan <script>alert(1)</script> & 'co' \u{202e}elpmaxe",
            "Siân \u{1f43f} Ó Brádaigh",
            &"J".repeat(120),
        ] {
            let letter = Letter {
                name: evil.into(),
                place: evil.into(),
                ..joan()
            };
            let message = mailer.compose(&letter, &token, NOW).unwrap();
            assert_eq!(message.envelope().to().len(), 1, "{evil:?}");
            assert_eq!(
                message.envelope().to()[0].to_string(),
                "joan@oakfield.example"
            );
            let sent = message.formatted();
            let mail = MessageParser::default().parse(&sent).unwrap();
            let mut names: Vec<_> = mail
                .headers()
                .iter()
                .map(|header| header.name().to_owned())
                .collect();
            names.sort();
            assert_eq!(
                names,
                [
                    "Auto-Submitted",
                    "Content-Type",
                    "Date",
                    "From",
                    "MIME-Version",
                    "Message-ID",
                    "Subject",
                    "To"
                ],
                "{evil:?}"
            );
            assert_eq!(mail.to().unwrap().iter().count(), 1, "{evil:?}");
            assert_eq!(
                mail.to().unwrap().first().unwrap().address(),
                Some("joan@oakfield.example"),
                "{evil:?}"
            );
            assert!(!mail.body_html(0).unwrap().contains("<script"), "{evil:?}");
            assert!(
                mail.subject().unwrap().starts_with(&one_line(evil)),
                "{evil:?}: {:?}",
                mail.subject()
            );
            assert!(
                sent.split(|byte| *byte == b'\n')
                    .all(|line| line.len() < 998),
                "{evil:?}"
            );
        }
    }

    #[test]
    fn an_address_that_is_none_or_is_two_gets_no_letter() {
        let (_folder, mailer) = mailer();
        let token = LinkToken::random().unwrap();
        for email in [
            "",
            "joan",
            "joan@",
            "a@b.example, c@d.example",
            "a@b.example\r\nRCPT TO:<c@d.example>",
            "a@b.example>",
            "a b@c.example",
        ] {
            let letter = Letter {
                email: email.into(),
                ..joan()
            };
            assert_eq!(
                mailer.compose(&letter, &token, NOW).err(),
                Some(MailError::BadAddress),
                "{email:?}"
            );
        }
    }

    #[test]
    fn mail_in_the_clear_stays_on_this_machine() {
        let links = Links {
            scheme: "https".into(),
            host: "example.org".into(),
        };
        let set_up = |config: SmtpConfig| Mailer::smtp(&config, links.clone());
        assert!(set_up(config()).is_ok());
        assert!(
            set_up(SmtpConfig {
                host: "::1".into(),
                ..config()
            })
            .is_ok()
        );
        for host in ["mail.example.org", "192.168.1.2", "localhost.example.org"] {
            let made = set_up(SmtpConfig {
                host: host.into(),
                ..config()
            });
            assert!(matches!(made, Err(SetupError::InTheClear)), "{host}");
        }
        let made = set_up(SmtpConfig {
            host: "mail.example.org".into(),
            tls: Tls::StartTls,
            ..config()
        });
        assert!(made.is_ok());
        assert!(matches!(
            set_up(SmtpConfig {
                user: Some("q".into()),
                ..config()
            }),
            Err(SetupError::HalfCredentials)
        ));
        assert!(matches!(
            set_up(SmtpConfig {
                from: "nobody".into(),
                ..config()
            }),
            Err(SetupError::From)
        ));
        let made = set_up(SmtpConfig {
            tls: Tls::Implicit,
            authority: Some(b"no".to_vec()),
            ..config()
        });
        assert!(matches!(made, Err(SetupError::Authority)));
    }

    #[test]
    fn only_replies_about_the_mailbox_end_a_letter() {
        assert_eq!(refusal(Some(550), true), MailError::Refused(550));
        assert_eq!(refusal(Some(553), true), MailError::Refused(553));
        assert_eq!(refusal(Some(535), true), MailError::Answered(535));
        assert_eq!(refusal(Some(451), false), MailError::Answered(451));
        assert_eq!(refusal(None, false), MailError::Unreachable);
    }

    #[tokio::test]
    async fn a_letter_in_the_folder_is_whole_and_private() {
        use std::os::unix::fs::PermissionsExt;
        let (folder, mailer) = mailer();
        let message = mailer
            .compose(&joan(), &LinkToken::random().unwrap(), NOW)
            .unwrap();
        mailer.send(&message, NOW).await.unwrap();
        let files: Vec<_> = std::fs::read_dir(folder.path().join("mail"))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        assert_eq!(files.len(), 1);
        assert_eq!(
            files[0].metadata().unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(
            std::fs::metadata(folder.path().join("mail"))
                .unwrap()
                .permissions()
                .mode()
                & 0o777,
            0o700
        );
        assert_eq!(std::fs::read(files[0].path()).unwrap(), message.formatted());
        assert_eq!(mailer.check().await, Ok(()));
    }

    #[test]
    fn the_clocks_of_the_school_go_forward_in_march_and_back_in_october() {
        for (moment, text) in [
            (
                datetime!(2026-03-29 00:59 UTC),
                "00:59 on Sunday 29 March 2026 (UK time)",
            ),
            (
                datetime!(2026-03-29 01:00 UTC),
                "02:00 on Sunday 29 March 2026 (UK time)",
            ),
            (
                datetime!(2026-10-25 00:59 UTC),
                "01:59 on Sunday 25 October 2026 (UK time)",
            ),
            (
                datetime!(2026-10-25 01:00 UTC),
                "01:00 on Sunday 25 October 2026 (UK time)",
            ),
            (
                datetime!(2026-07-01 23:30 UTC),
                "00:30 on Thursday 2 July 2026 (UK time)",
            ),
            (
                datetime!(2026-07-02 00:30 +1),
                "00:30 on Thursday 2 July 2026 (UK time)",
            ),
        ] {
            assert_eq!(uk_time(moment), text);
        }
    }
}
