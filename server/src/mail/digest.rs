//! The letter that tells what is new and what waits: how many of which, and never of whom or why, since mail is read by others.

use domain::notice::{
    Hears, Mail,
    letter::{Digest, Duty, News, Waiting},
};

use super::{Words, one_line};

/// What the letter says; `home` is the tenant's own origin.
pub(super) fn words(digest: &Digest, home: &str) -> Words {
    let place = one_line(&digest.place);
    let things = |count: usize, one: &str, more: &str| match count {
        0 => None,
        1 => Some(format!("one thing {one}")),
        n => Some(format!("{n} things {more}")),
    };
    let waiting = digest.duties.iter().map(|duty| duty.count).sum();
    let new = digest.news.iter().map(|news| news.count).sum();
    let sum: Vec<String> = [
        things(waiting, "waits for you", "wait for you"),
        things(new, "is new", "are new"),
    ]
    .into_iter()
    .flatten()
    .collect();
    let mut lists = Vec::new();
    if !digest.duties.is_empty() {
        let lines = digest.duties.iter().map(waits).collect();
        lists.push(("What waits for you", lines));
    }
    if !digest.news.is_empty() {
        let lines = digest.news.iter().map(is_new).collect();
        lists.push(("What is new", lines));
    }
    let often = match digest.mail {
        Mail::AtOnce => "You get a letter when something is new for you.",
        Mail::Daily => "You get a letter in the morning when something is new for you.",
        Mail::Weekly => "You get a letter on Mondays when something is new for you.",
        Mail::Never => "You get no letters about what is new.",
    };
    let hash: String = digest
        .hash
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Words {
        subject: format!("{place}: {}", sum.join(", ")),
        greeting: format!("Hello {},", one_line(&digest.name)),
        before: format!("This is your Quorate at {place}."),
        lists,
        button: "Open Quorate",
        after: vec![
            format!(
                "{often} Choose how often at {home}/me/notices. What waits for you is told once a week at least, whatever you choose."
            ),
            format!(
                "The log of {place} stood at line {} when this was written, and the hash of that line was {hash}. Whoever keeps this letter can show if the log is ever rewritten.",
                digest.seq
            ),
        ],
    }
}

fn waits(Waiting { duty, count }: &Waiting) -> String {
    let (one, more) = match duty {
        Duty::Declare => ("Declare your interests.", "Declare your interests."),
        Duty::Invitation => (
            "One invitation has not been accepted for a week or more.",
            "{n} invitations have not been accepted for a week or more.",
        ),
        Duty::Term => (
            "One term of office ends within 90 days, and nobody is chosen to follow.",
            "{n} terms of office end within 90 days, and nobody is chosen to follow.",
        ),
        Duty::Vacancy => (
            "One seat on the board is vacant.",
            "{n} seats on the board are vacant.",
        ),
        Duty::Declarations => (
            "One declaration of interests is due.",
            "{n} declarations of interests are due.",
        ),
        Duty::Approval => (
            "One paper waits for your answer.",
            "{n} papers wait for your answer.",
        ),
        Duty::Review => (
            "One paper of yours is to be reviewed.",
            "{n} papers of yours are to be reviewed.",
        ),
        Duty::Access => (
            "One weekly list of who looked at records waits to be signed.",
            "{n} weekly lists of who looked at records wait to be signed.",
        ),
    };
    counted(*count, one, more)
}

fn is_new(News { act, hears, count }: &News) -> String {
    let (one, more) = match (hears, act.as_str()) {
        (Hears::Person, "membership.role_given") => {
            ("You were given a role.", "You were given {n} roles.")
        }
        (Hears::Person, "membership.role_dropped") => (
            "A role was taken from you.",
            "{n} roles were taken from you.",
        ),
        (Hears::Person, "membership.renamed") => {
            ("Your name was changed.", "Your name was changed {n} times.")
        }
        (Hears::Person, "contact.phone_set") => (
            "Your telephone number was changed.",
            "Your telephone number was changed {n} times.",
        ),
        (Hears::Person, "dbs_check.recorded") => (
            "A check of yours was recorded.",
            "{n} checks of yours were recorded.",
        ),
        (Hears::Person, "training.recorded") => (
            "A training of yours was recorded.",
            "{n} trainings of yours were recorded.",
        ),
        (Hears::Person, "term.started") => (
            "Your term of office was recorded.",
            "{n} terms of office of yours were recorded.",
        ),
        (Hears::Person, "caseload.given") => (
            "Pupils were put on your caseload.",
            "Pupils were put on your caseload {n} times.",
        ),
        (Hears::Person, "caseload.ended") => (
            "Pupils were taken off your caseload.",
            "Pupils were taken off your caseload {n} times.",
        ),
        (Hears::Person, "record.opened") => (
            "There is something new on record for your child.",
            "There was something new on record for your child {n} times.",
        ),
        (Hears::Person, "guardian.linked") => (
            "You can see what is on record for a child here.",
            "You can see what is on record for {n} children here.",
        ),
        (Hears::Person, "duty.given") => (
            "It was said what you answer for at the school.",
            "It was said {n} times what you answer for at the school.",
        ),
        (Hears::Person, "committee.joined") => (
            "You were put on a committee.",
            "You were put on {n} committees.",
        ),
        (Hears::Person, "committee.left") => (
            "You were taken off a committee.",
            "You were taken off {n} committees.",
        ),
        (Hears::Person, "committee.chair_chosen") => (
            "You were chosen to chair a committee.",
            "You were chosen to chair {n} committees.",
        ),
        (Hears::Person, "factor.reset") => (
            "Your second step was taken away; you are asked for a new one when you sign in.",
            "Your second step was taken away {n} times; you are asked for a new one when you sign in.",
        ),
        (Hears::Person, "folder.reader_added") => (
            "You were let into a folder of papers.",
            "You were let into {n} folders of papers.",
        ),
        (Hears::Person, "folder.reader_removed") => (
            "A folder of papers was taken from you.",
            "{n} folders of papers were taken from you.",
        ),
        (Hears::Reader, "document.added") => ("One new paper.", "{n} new papers."),
        (Hears::Reader, "document.version_added" | "document.version_restored") => (
            "One paper has a new version.",
            "Papers have {n} new versions.",
        ),
        (Hears::Reader | Hears::Owner, "question.asked") => (
            "Something was asked about a paper.",
            "{n} things were asked about papers.",
        ),
        (Hears::Reader, "question.put") => (
            "A question about a paper was put to you.",
            "{n} questions about papers were put to you.",
        ),
        (Hears::Reader, "question.replied") => (
            "Somebody replied to what you asked about a paper.",
            "There are {n} replies to what you asked about papers.",
        ),
        (Hears::Reader, "question.answered") => (
            "A question of yours about a paper was answered.",
            "{n} questions of yours about papers were answered.",
        ),
        (Hears::Reader, "question.reopened") => (
            "A question about a paper is open again.",
            "{n} questions about papers are open again.",
        ),
        (Hears::Reader, "folder.change_asked") => (
            "Somebody asks to change who reads a restricted folder.",
            "There are {n} wishes to change who reads restricted folders.",
        ),
        (Hears::Reader, _) => (
            "Who reads a folder of papers was changed.",
            "Who reads folders of papers was changed {n} times.",
        ),
        (Hears::Asked, "approval.asked") => (
            "You are asked to approve a paper.",
            "You are asked to approve {n} papers.",
        ),
        (Hears::Asked, "approval.withdrawn") => (
            "A request to approve a paper was withdrawn.",
            "{n} requests to approve papers were withdrawn.",
        ),
        (Hears::Asked | Hears::Asker, "approval.closed") => {
            ("An approval is closed.", "{n} approvals are closed.")
        }
        (Hears::Asker, "approval.objected") => (
            "Somebody objects to a paper you want approved.",
            "There are {n} objections to papers you want approved.",
        ),
        (Hears::Asked | Hears::Asker, _) => (
            "There is something new about a paper you want approved.",
            "There are {n} new things about papers you want approved.",
        ),
        (Hears::Person, "approval.nudged") => (
            "A paper still waits for your answer.",
            "You were reminded {n} times of papers that wait for your answer.",
        ),
        (Hears::Person, "approval.stand_in_called") => (
            "You may answer about a paper in somebody’s place.",
            "You may answer about {n} papers in somebody’s place.",
        ),
        (Hears::Person, "approval.agreed" | "approval.objected" | "approval.abstained") => (
            "Somebody stood in for you and answered about a paper.",
            "Somebody stood in for you and answered about {n} papers.",
        ),
        (Hears::Owner, _) => (
            "Something about a paper of yours was changed.",
            "{n} things about papers of yours were changed.",
        ),
        // Whatever else was done to somebody is theirs to read behind the door: a suspension is nobody else's business.
        (Hears::Person, _) => (
            "Something about your place was changed.",
            "{n} things about your place were changed.",
        ),
        (Hears::Chair, "committee.joined") => (
            "Somebody was put on a committee you chair.",
            "{n} people were put on a committee you chair.",
        ),
        (Hears::Chair, "committee.left") => (
            "Somebody was taken off a committee you chair.",
            "{n} people were taken off a committee you chair.",
        ),
        (Hears::Keeper, "membership.accepted") => (
            "Somebody accepted the invitation.",
            "{n} people accepted the invitation.",
        ),
        (Hears::Keeper, "membership.removed") => {
            ("Somebody was removed.", "{n} people were removed.")
        }
        (Hears::Keeper, "declaration.made") => (
            "Somebody declared their interests.",
            "{n} declarations of interests were made.",
        ),
        (Hears::Keeper, "mail.undeliverable") => ("A letter came back.", "{n} letters came back."),
        (Hears::Board, "term.started") => (
            "A term of office on the board was recorded.",
            "{n} terms of office on the board were recorded.",
        ),
        (Hears::Board, "term.ended") => (
            "A term of office on the board was ended.",
            "{n} terms of office on the board were ended.",
        ),
        _ => ("Something changed.", "{n} things changed."),
    };
    counted(*count, one, more)
}

fn counted(count: usize, one: &str, more: &str) -> String {
    if count == 1 {
        one.to_owned()
    } else {
        more.replace("{n}", &count.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest() -> Digest {
        Digest {
            email: "joan@oakfield.example".into(),
            name: "Joan Whitlock".into(),
            place: "Oakfield Primary School".into(),
            label: "oakfield".into(),
            mail: Mail::Daily,
            news: vec![
                News {
                    act: "membership.accepted".into(),
                    hears: Hears::Keeper,
                    count: 2,
                },
                News {
                    act: "term.suspended".into(),
                    hears: Hears::Person,
                    count: 1,
                },
            ],
            duties: vec![Waiting {
                duty: Duty::Vacancy,
                count: 1,
            }],
            seq: 1234,
            hash: [0xab; 32],
        }
    }

    #[test]
    fn a_digest_counts_what_waits_and_what_is_new_and_names_the_head_of_the_log() {
        let words = words(&digest(), "https://oakfield.example.org");
        assert_eq!(
            words.subject,
            "Oakfield Primary School: one thing waits for you, 3 things are new"
        );
        let text = words.text("https://oakfield.example.org");
        for part in [
            "What waits for you\r\n- One seat on the board is vacant.",
            "What is new\r\n- 2 people accepted the invitation.",
            "https://oakfield.example.org/me/notices",
            "stood at line 1234",
            &"ab".repeat(32),
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        let html = words.html("https://oakfield.example.org");
        assert!(
            html.contains("<li>2 people accepted the invitation.</li>"),
            "{html}"
        );
    }

    #[test]
    fn a_suspension_is_not_told_by_mail() {
        let words = words(&digest(), "https://oakfield.example.org");
        let text = words.text("x");
        assert!(!text.to_lowercase().contains("suspend"), "{text}");
        assert!(
            text.contains("Something about your place was changed."),
            "{text}"
        );
    }
}
