//! Why something was not done: a closed list, each with one sentence that a person can act on.

use serde::{Deserialize, Serialize};

/// A refusal travels from the database to the page unchanged; it never carries free text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case", tag = "refusal", content = "with")]
pub enum Refusal {
    /// No live session: signed out, expired, or removed.
    #[error("You are signed out. Sign in to go on; nothing has been changed.")]
    SignedOut,
    /// The password was right, the second factor is still to come.
    #[error("Enter the code from your authenticator app first.")]
    FactorNeeded,
    /// A far-reaching act wants the password or a code again (OWASP ASVS 7.5.3).
    #[error("Confirm that it is you, then do this again.")]
    StepUpNeeded,
    /// Not seen by this caller, or never there. The two are not told apart.
    #[error("There is nothing here.")]
    NotFound,
    /// Seen, but not this caller's to do.
    #[error("Your role does not allow this. Ask a clerk or an administrator of the school.")]
    NotAllowed,
    /// E-mail or password wrong; which one is never said.
    #[error("That e-mail address and password do not match. Check both and try again.")]
    WrongCredentials,
    /// The person's own password, asked for again, is wrong.
    #[error("That is not your password. Check it and try again.")]
    WrongPassword,
    /// Too many attempts.
    #[error("Too many attempts. Try again in {}.", words_for_seconds(*.0))]
    Wait(u32),
    /// The password pool is full.
    #[error("Many people are signing in just now. Try again in a few seconds.")]
    Busy,
    /// A code of the authenticator app that is wrong, old or used.
    #[error("That code is not right, or it has been used. Wait for the next one and enter it.")]
    WrongCode,
    /// A recovery code that is wrong or used.
    #[error("That recovery code is not right, or it has been used. Try another one.")]
    WrongRecoveryCode,
    /// An invitation or reset link that is used, voided or too old.
    #[error("This link has been used or has run out. Ask for a new one.")]
    LinkGone,
    /// An invitation to somebody who has an account already.
    #[error("You already have an account. Sign in with your own password to accept.")]
    SignInToAccept,
    /// See [`crate::password::check`].
    #[error("{0}")]
    Password(#[from] crate::password::Weakness),
    /// Not an e-mail address.
    #[error("Enter an e-mail address like name@school.org.")]
    EmailFormat,
    /// Empty, too long or with control characters.
    #[error("Enter the person’s name, at most 120 characters.")]
    NameFormat,
    /// A person without a role could do nothing.
    #[error("Choose at least one role.")]
    NoRole,
    /// See [`Refusal::NoRole`].
    #[error("This is their only role. Give them another one first, or remove them.")]
    LastRole,
    /// The address of somebody who has joined.
    #[error("They sign in with this address, so only they can change it.")]
    AddressTheirs,
    /// Somebody else changed the same while this form was filled in.
    #[error(
        "Somebody changed this while you were typing. Look at how it is now; what you typed is still in the form."
    )]
    Meanwhile,
    /// The person has a place here already.
    #[error("This person is already on the list. Open their page to change their roles.")]
    AlreadyHere,
    /// A school must keep somebody who can administer it.
    #[error("This is the last administrator. Make somebody else an administrator first.")]
    LastAdmin,
    /// Nobody changes their own roles or state.
    #[error("You cannot change your own place here. Ask another administrator.")]
    OwnPlace,
    /// A clerk does not touch administrators.
    #[error("Only an administrator can do this to an administrator.")]
    AdminsOnly,
    /// The thing is no longer in the state that the button was drawn for.
    #[error("This has changed since you opened the page. The page now shows how it stands.")]
    Stale,
    /// A part the server depends on does not answer.
    #[error(
        "Part of the service does not answer just now. What you typed is kept; try again in a minute."
    )]
    Unavailable,
    /// See [`crate::pupil::Fault`]. Only forms meet it, which the server draws again: the browser's program need not know it.
    #[cfg(feature = "db")]
    #[error("{0}")]
    Pupil(#[from] crate::pupil::Fault),
    /// See [`crate::wellbeing::Fault`]. Only forms meet it, which the server draws again: the browser's program need not know it.
    #[cfg(feature = "db")]
    #[error("{0}")]
    Wellbeing(#[from] crate::wellbeing::Fault),
    /// See [`crate::roster::import::Fault`]. Only forms meet it, which the server draws again: the browser's program need not know it.
    #[cfg(feature = "db")]
    #[error("{0}")]
    Roster(#[from] crate::roster::import::Fault),
    /// A file that is no roster. Only forms meet it, which the server draws again: the browser's program need not know it.
    #[cfg(feature = "db")]
    #[error("{0}")]
    RosterFile(#[from] crate::roster::refused::Refused),
    /// A fault of ours; the cause is in the log.
    #[error("Something went wrong on our side. What you typed is kept; try again in a minute.")]
    Broken,
    /// Not a date, or one that does not exist.
    #[error("Enter a date that exists, like 18 June 2026 or 18/06/2026.")]
    DateFormat,
    /// Empty, longer than so many characters, or with hidden ones.
    #[error("Enter some text, at most {0} characters.")]
    TextFormat(u16),
    /// The last day of something lies before its first.
    #[error("The last day lies before the first. Correct one of the two.")]
    DatesOrder,
    /// A check or a training that is yet to be.
    #[error("That day has not come yet. Enter today or an earlier day.")]
    DayAhead,
    /// See [`crate::board::term::check_days`].
    #[error("A term of office is four years at most. Choose an earlier last day.")]
    TermTooLong,
    /// All but ex officio end.
    #[error("Only an ex officio governor holds office without a last day. Enter one.")]
    TermNeedsEnd,
    /// A term or a place is shortened, never stretched.
    #[error("It ends before that day already. Record another one from the day after it.")]
    TermLonger,
    /// Two terms at once on one seat.
    #[error("Somebody holds this seat in that time. End their term first, or choose other days.")]
    SeatTaken,
    /// Two terms at once of one person.
    #[error(
        "This person holds a seat in that time already. End that term first, or choose other days."
    )]
    PersonSeated,
    /// Somebody who was removed takes no office.
    #[error("This person has been removed. Add them again first.")]
    PersonEnded,
    /// The seat did not exist on every day of the term.
    #[error("This seat is not open in the whole of that time. Choose other days or another seat.")]
    SeatNotOpen,
    /// A seat is closed when it is empty.
    #[error(
        "Somebody holds this seat on that day or later. End their term first, or choose a later day."
    )]
    SeatHeld,
    /// Only what never was is taken off the record.
    #[error("This term has begun, so it stays on record. End it instead.")]
    TermBegun,
    /// Only who is in post can be suspended.
    #[error("This person is not in post today, so there is nothing to suspend.")]
    NotInPost,
    /// See [`crate::board::suspension::SUSPENDED_MOST`].
    #[error("A suspension ends today at the earliest and within six months. Choose another day.")]
    SuspensionLength,
    /// See [`crate::board::committee::tidy_name`].
    #[error("Enter a name for the committee, at most 120 characters.")]
    CommitteeName,
    /// Two open committees of one name.
    #[error("There is a committee of that name already. Choose another name.")]
    CommitteeNameTaken,
    /// See [`crate::board::committee::QUORUM_LEAST`].
    #[error("A committee’s quorum is three governors or more. Enter a number from 3 to 100.")]
    CommitteeQuorum,
    /// A committee that was closed.
    #[error("This committee is closed. Choose another one.")]
    CommitteeClosed,
    /// Two places at once on one committee.
    #[error("This person sits on the committee in that time already.")]
    OnCommittee,
    /// The chair of a committee is one of its members.
    #[error("Only a member of the committee can chair it. Add them to it first.")]
    NotOnCommittee,
    /// Who has nothing to do with the board has nothing to declare to it.
    #[error("Only people of the board and its committees declare interests.")]
    NotOnBoard,
    /// See [`crate::board::interest::tidy`].
    #[error(
        "Say with whom each interest is, in at most 200 characters, and what it is, in at most 1,000."
    )]
    InterestFormat,
    /// A declaration says nothing or something, not both.
    #[error("Either declare nothing, or enter at least one interest.")]
    NothingOrSome,
    /// A list of people where one must be chosen.
    #[error("Choose a person from the list.")]
    NobodyChosen,
    /// None was chosen to move a document to.
    #[error("Choose the folder it moves to.")]
    NoFolderChosen,
    /// See [`crate::board::check::tidy_phone`].
    #[error("Enter a telephone number like 0114 496 0123, or 0114 496 0123 ext 12.")]
    PhoneFormat,
    /// A period that ends before it begins.
    #[error("The last day lies before the first. Choose them the other way round.")]
    Period,
    /// A list of people without any.
    #[error("Paste at least one line, or choose a file.")]
    NoLines,
    /// See [`crate::membership::many::LINES_MOST`].
    #[error("A list holds at most {0} people. Add the first ones, then the others.")]
    ManyLines(u16),
    /// Two lists at once, of which one would be lost.
    #[error("Paste the list or choose a file, not both.")]
    OneList,
    /// A spreadsheet's own file, a picture, anything that is not lines of text.
    #[error(
        "This file is not a text. Save it as CSV in your spreadsheet, or copy the cells and paste them."
    )]
    NotText,
    /// See [`crate::file::Fault`].
    #[error("{0}")]
    File(#[from] crate::file::Fault),
    /// See [`crate::folder::NAME_MOST`].
    #[error("Enter a name for the folder, at most 120 characters.")]
    FolderName,
    /// Two folders in use of one name.
    #[error("There is a folder of that name already. Choose another name.")]
    FolderNameTaken,
    /// A folder that nobody could read.
    #[error("Choose who reads this folder; a restricted one needs two people at least.")]
    FolderReaders,
    /// A restricted folder nobody could put anything in.
    #[error("Choose at least one reader who also files documents there.")]
    FolderFiler,
    /// See [`crate::folder`].
    #[error(
        "A restricted folder is read by named people. Choose people, not a role or a committee."
    )]
    FolderNamesPeople,
    /// See [`crate::folder::readers`].
    #[error("Who reads this folder is changed by two of its readers: one asks, another agrees.")]
    FolderTwoReaders,
    /// The way of a restricted folder, where there is none.
    #[error("Clerks and administrators say who reads an open folder.")]
    FolderOpen,
    /// Whoever asks does not agree as well.
    #[error("You asked for this yourself, so another reader of the folder must agree.")]
    SecondReader,
    /// Somebody whose address can still be changed by whoever keeps the places.
    #[error(
        "They have not joined yet. Let them accept their invitation first, then they can read a restricted folder."
    )]
    FolderJoined,
    /// Somebody reads it in that way already.
    #[error("They read this folder already.")]
    FolderReaderNamed,
    /// A wish about somebody about whom there is one.
    #[error("A change for this person waits already. Agree to it or take it back first.")]
    FolderChangeWaits,
    /// Reads it, and no more.
    #[error("You read this folder, but you do not file in it. Ask one of those who do.")]
    FolderNotFiled,
    /// A folder out of use.
    #[error("This folder is out of use. Take it into use again first, or choose another one.")]
    FolderArchived,
    /// See [`crate::document::TITLE_MOST`].
    #[error("Enter a title, at most 200 characters.")]
    Title,
    /// See [`crate::document::TAGS_MOST`].
    #[error("Enter at most 12 tags with commas between them, each of at most 40 characters.")]
    Tags,
    /// See [`crate::document::NOTE_MOST`].
    #[error("Say what is new in one line of at most 500 characters.")]
    Note,
    /// See [`crate::document::filing::bin`].
    #[error("Say in one line why it is to be deleted, such as the rule of your records schedule.")]
    BinReason,
    /// A document in the bin.
    #[error("This document is in the bin. Take it out first.")]
    Binned,
    /// The bytes are those of that version.
    #[error("This is version {0} already, byte for byte. Nothing was added.")]
    SameBytes(u32),
    /// See [`crate::document::filing::move_to`].
    #[error(
        "What lies in a restricted folder stays there, since another folder has other readers."
    )]
    DocumentStays,
    /// A second question about a version while the first is open.
    #[error("Approval of this version has been asked for already. Its answers come first.")]
    ApprovalRuns,
    /// Closed, over, or of a document out of use.
    #[error("This approval is closed: nothing more can be answered or taken back.")]
    ApprovalClosed,
    /// A version that is not the newest, or a document out of use.
    #[error(
        "Approval is asked of the newest version of a document in use. Look at the newest one first."
    )]
    ApprovalNotNewest,
    /// A last day that is over.
    #[error("Choose a last day from today on, within a year.")]
    ApprovalDue,
    /// Nobody of those who were chosen reads it.
    #[error("Choose whom to ask: people who read this folder.")]
    ApprovalNobody,
    /// More than are asked, or none.
    #[error("Enter how many must agree: at least one, and no more than are asked.")]
    ApprovalLeast,
    /// Somebody who could not open it.
    #[error(
        "Somebody you chose does not read this folder. Let them read it first, or choose somebody else."
    )]
    ApprovalReads,
    /// A stand-in without a day, or one after the end.
    #[error(
        "Choose who stands in and from which day: tomorrow at the earliest, and on or before the last day. Or choose neither."
    )]
    StandInDay,
    /// Who asks is not the one who answers.
    #[error("Whoever asks cannot answer for others. Choose somebody else to stand in.")]
    StandInAsker,
    /// One person, two answers.
    #[error("Whoever stands in must be somebody you do not ask anyway.")]
    StandInAsked,
    /// An objection without words.
    #[error("Say why you object, so that it can be put right.")]
    ApprovalReason,
    /// Abstaining without an interest.
    #[error("Say which interest you have in the matter.")]
    ApprovalInterest,
    /// One answer each.
    #[error("This has been answered already. Take that answer back first.")]
    ApprovalAnswered,
    /// Agreed to nothing.
    #[error("Tick the papers you agree to first.")]
    NoneTicked,
    /// See [`crate::approval::answering::agree_from_list`].
    #[error("This one is not routine. Open it and answer there.")]
    ApprovalNotRoutine,
    /// See [`crate::approval::answering::agree_from_list`].
    #[error("You have not opened this one yet. Open it, then agree.")]
    ApprovalUnread,
    /// An owner who could not open it.
    #[error("This person does not read the folder. Choose an owner who does.")]
    OwnerReads,
    /// See [`crate::question::TEXT_MOST`].
    #[error("Write what you want to say, at most 2,000 letters.")]
    QuestionText,
    /// See [`crate::anchor::EXACT_MOST`].
    #[error("Choose a shorter passage: at most 500 letters.")]
    Quotation,
    /// A sentence that was typed wrongly, or stands in another version.
    #[error(
        "These words do not stand in this version. Copy them as they stand there, or leave the sentence empty to ask about the document as a whole."
    )]
    SentenceNotFound,
    /// A picture, or a scan that nobody has read.
    #[error(
        "This document has no text to find a sentence in. Leave the sentence empty to ask about the document as a whole."
    )]
    NoText,
    /// Put to named people, of whom there are none.
    #[error("Choose at least one person who is to read it.")]
    NobodyNamed,
    /// Put to somebody who could not open the document.
    #[error("Somebody you chose does not read this folder. Choose people from the list.")]
    HearerReads,
    /// See [`crate::question::asking::answer`].
    #[error("Whoever asked, or files documents here, says whether it is answered.")]
    NotAnswerer,
    /// What others have replied to is not taken back.
    #[error("Somebody has replied, so it stays. You can say that it is answered.")]
    Replied,
    /// Of one person on one document.
    #[error(
        "One person has at most 200 open questions and comments on a document. Take one of them back, or have one answered first."
    )]
    ManyQuestions,
    /// Of one person on one document.
    #[error("You have 200 notes on this document already. Throw one of them away first.")]
    ManyNotes,
    /// Nothing was sent.
    #[error("Choose a file first.")]
    NoFile,
    /// Of an upload that came in parts, one that fits nowhere.
    #[error("The upload was lost on the way. Choose the file and send it again.")]
    UploadLost,
    /// Two requests at one upload.
    #[error("This file is being taken in already. Wait until that is done.")]
    UploadBusy,
    /// Of one person.
    #[error("Twenty of your uploads are on their way. Wait until one of them is there.")]
    ManyUploads,
    /// The disk is full.
    #[error(
        "There is no room for this file just now. Nothing was stored; tell whoever runs the service."
    )]
    NoRoom,
    /// The browser could not reach the server.
    #[error("You are offline. What you typed is kept; try again when you are connected.")]
    Offline,
}

impl Refusal {
    /// The HTTP status that says the same.
    pub fn status(&self) -> u16 {
        match self {
            Self::SignedOut | Self::FactorNeeded => 401,
            Self::StepUpNeeded | Self::NotAllowed | Self::AdminsOnly | Self::OwnPlace => 403,
            Self::NotFound => 404,
            Self::AlreadyHere
            | Self::LastAdmin
            | Self::LastRole
            | Self::Meanwhile
            | Self::Stale => 409,
            Self::SeatTaken
            | Self::PersonSeated
            | Self::PersonEnded
            | Self::SeatNotOpen
            | Self::SeatHeld
            | Self::TermBegun
            | Self::NotInPost
            | Self::CommitteeNameTaken
            | Self::CommitteeClosed
            | Self::OnCommittee
            | Self::NotOnCommittee
            | Self::FolderNameTaken
            | Self::FolderReaderNamed
            | Self::FolderChangeWaits
            | Self::FolderArchived
            | Self::Binned
            | Self::ApprovalRuns
            | Self::ApprovalClosed
            | Self::ApprovalNotNewest
            | Self::ApprovalAnswered
            | Self::Replied
            | Self::UploadBusy
            | Self::ManyQuestions
            | Self::ManyNotes
            | Self::SameBytes(_) => 409,
            Self::FolderTwoReaders
            | Self::FolderOpen
            | Self::SecondReader
            | Self::NotAnswerer
            | Self::FolderNotFiled => 403,
            Self::NoRoom => 507,
            Self::NotOnBoard => 403,
            Self::LinkGone => 410,
            Self::Wait(_) | Self::ManyUploads => 429,
            Self::Busy | Self::Unavailable | Self::Offline => 503,
            Self::File(fault) if fault.passes() => 503,
            #[cfg(feature = "db")]
            Self::RosterFile(refused) if refused.passes() => 503,
            Self::Broken => 500,
            _ => 422,
        }
    }

    /// Whether the same may well succeed in a moment.
    pub const fn passes(&self) -> bool {
        match self {
            Self::Offline | Self::Unavailable | Self::Busy | Self::UploadBusy => true,
            Self::File(fault) => fault.passes(),
            #[cfg(feature = "db")]
            Self::RosterFile(refused) => refused.passes(),
            _ => false,
        }
    }

    /// The form field that it is about, so that the message can stand beside it.
    pub fn field(&self) -> Option<&'static str> {
        Some(match self {
            Self::EmailFormat | Self::AlreadyHere | Self::AddressTheirs => "email",
            Self::NameFormat | Self::Meanwhile => "name",
            Self::CommitteeName | Self::CommitteeNameTaken => "name",
            Self::CommitteeQuorum => "quorum",
            Self::DatesOrder | Self::TermTooLong | Self::TermNeedsEnd | Self::TermLonger => "to",
            Self::NoFolderChosen => "folder",
            Self::PersonSeated | Self::PersonEnded | Self::OnCommittee | Self::NobodyChosen => {
                "person"
            }
            Self::SeatTaken | Self::SeatNotOpen => "from",
            Self::SuspensionLength => "until",
            Self::PhoneFormat => "phone",
            Self::NoRole => "roles",
            Self::NoLines | Self::ManyLines(_) | Self::OneList => "text",
            Self::NotText
            | Self::File(_)
            | Self::NoFile
            | Self::SameBytes(_)
            | Self::UploadLost
            | Self::UploadBusy
            | Self::ManyUploads
            | Self::NoRoom => "file",
            Self::FolderName | Self::FolderNameTaken => "name",
            Self::FolderReaders
            | Self::FolderNamesPeople
            | Self::FolderFiler
            | Self::FolderJoined => "readers",
            Self::Title => "title",
            Self::Tags => "tags",
            Self::Note => "note",
            Self::BinReason => "reason",
            Self::OwnerReads => "owner",
            Self::ApprovalDue => "due",
            Self::ApprovalNobody | Self::ApprovalReads => "whom",
            Self::ApprovalLeast => "least",
            Self::StandInDay | Self::StandInAsked | Self::StandInAsker => "stand_in",
            Self::ApprovalReason | Self::ApprovalInterest => "reason",
            Self::QuestionText | Self::ManyQuestions | Self::ManyNotes => "words",
            Self::Quotation | Self::SentenceNotFound | Self::NoText => "exact",
            Self::NobodyNamed | Self::HearerReads => "hearers",
            Self::Password(_) => "password",
            Self::WrongPassword => "old",
            Self::WrongCode | Self::WrongRecoveryCode => "code",
            #[cfg(feature = "db")]
            Self::Pupil(fault) => return fault.field(),
            #[cfg(feature = "db")]
            Self::Wellbeing(fault) => return fault.field(),
            #[cfg(feature = "db")]
            Self::Roster(fault) => return fault.field(),
            #[cfg(feature = "db")]
            Self::RosterFile(_) => "file",
            _ => return None,
        })
    }
}

/// "45 seconds", "3 minutes": rounded up, since an early try is refused again.
fn words_for_seconds(seconds: u32) -> String {
    match seconds {
        0..=1 => "1 second".to_owned(),
        2..=90 => format!("{seconds} seconds"),
        _ => format!("{} minutes", seconds.div_ceil(60)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_told_in_words_and_never_too_short() {
        assert_eq!(words_for_seconds(1), "1 second");
        assert_eq!(words_for_seconds(90), "90 seconds");
        assert_eq!(words_for_seconds(91), "2 minutes");
    }

    #[test]
    fn a_file_that_could_not_be_checked_may_be_sent_again() {
        use crate::file::Fault;
        let away = Refusal::from(Fault::Unchecked);
        assert_eq!((away.status(), away.passes()), (503, true));
        let virus = Refusal::from(Fault::Virus);
        assert_eq!((virus.status(), virus.passes()), (422, false));
        assert_eq!(virus.field(), Some("file"));
        assert_eq!(virus.to_string(), Fault::Virus.to_string());
        let there = serde_json::to_string(&Refusal::File(Fault::ManyPages(10_001))).unwrap();
        assert_eq!(
            serde_json::from_str::<Refusal>(&there).unwrap(),
            Refusal::File(Fault::ManyPages(10_001))
        );
    }

    #[test]
    fn a_refusal_survives_the_way_to_the_browser() {
        let there = serde_json::to_string(&Refusal::Wait(60)).unwrap();
        assert_eq!(
            serde_json::from_str::<Refusal>(&there).unwrap(),
            Refusal::Wait(60)
        );
        let there = serde_json::to_string(&Refusal::Broken).unwrap();
        assert_eq!(
            serde_json::from_str::<Refusal>(&there).unwrap(),
            Refusal::Broken
        );
    }
}
