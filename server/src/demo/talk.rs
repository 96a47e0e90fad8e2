//! What is asked about the papers of the demo school, what is replied, and a note: before and after what it is about was changed.

use std::collections::HashMap;

use domain::{
    Refusal,
    anchor::Quotation,
    db::Caller,
    question::{
        Audience, Kind,
        asking::{self, Chosen},
    },
};
use uuid::Uuid;

use super::papers::Loader;

/// What one person says about a version, once it is filed.
struct Said {
    paper: &'static str,
    version: u32,
    who: &'static str,
    kind: Kind,
    words: &'static str,
    /// As it stands in that version; empty for the paper as a whole.
    about: &'static str,
    /// What the clerk replies, and whether that answers it.
    reply: Option<(&'static str, bool)>,
}

const SAID: [Said; 9] = [
    // Its sentence is another in the next version.
    Said {
        paper: "behaviour",
        version: 2,
        who: "governor1",
        kind: Kind::Question,
        words: "Two school days? The guidance says without delay.",
        about: "Parents are told in writing within two school days",
        reply: Some(("It does. Version 3 will say so.", true)),
    },
    Said {
        paper: "behaviour",
        version: 2,
        who: "governor2",
        kind: Kind::Question,
        words: "How often is that training renewed?",
        about: "Fourteen members of staff are trained to do it with least risk",
        reply: Some(("Every two years. The next day of it is in January.", true)),
    },
    // Its sentence is in no later version.
    Said {
        paper: "behaviour",
        version: 2,
        who: "governor3",
        kind: Kind::Question,
        words: "Does anybody read that copy?",
        about: "A printed copy lies in the entrance hall, beside the book of visitors.",
        reply: Some(("Nobody has in years. Version 3 leaves it out.", true)),
    },
    Said {
        paper: "behaviour",
        version: 2,
        who: "governor4",
        kind: Kind::Comment,
        words: "Clear, and shorter than the last one. Thank you.",
        about: "",
        reply: None,
    },
    Said {
        paper: "behaviour",
        version: 3,
        who: "chair",
        kind: Kind::Question,
        words: "And where a child walks home alone? Nobody collects anything from the office then.",
        about: "A telephone that is found during the day is kept in the office until a parent collects it.",
        reply: None,
    },
    Said {
        paper: "behaviour",
        version: 3,
        who: "governor3",
        kind: Kind::Question,
        words: "Who decides in which term this is counted when it begins in one and ends in another?",
        about: "A suspension of less than a day counts as half a day",
        reply: Some((
            "I have asked the council and will write here what they say.",
            false,
        )),
    },
    Said {
        paper: "head-report",
        version: 1,
        who: "governor3",
        kind: Kind::Question,
        words: "Is that more than the budget has for the year?",
        about: "Three things worry me: reading in Year 3, what energy costs, and how tired the office is.",
        reply: None,
    },
    Said {
        paper: "head-report",
        version: 1,
        who: "governor1",
        kind: Kind::Question,
        words: "Is the governor for safeguarding told of each?",
        about: "44 children are persistently absent",
        reply: Some(("Yes, once in each half term, without names.", true)),
    },
    Said {
        paper: "head-report",
        version: 1,
        who: "governor2",
        kind: Kind::Comment,
        words: "The best news in a long time.",
        about: "Results went up in all that is measured.",
        reply: None,
    },
];

/// Nobody else sees it.
const NOTE: (&str, u32, &str, &str, &str) = (
    "behaviour",
    2,
    "governor1",
    "Ask at the meeting how often this happens.",
    "Missing the whole of a playtime is never the answer",
);

impl Loader {
    /// After a version is filed.
    pub(super) async fn talk(
        &self,
        paper: &str,
        document: Uuid,
        version: u32,
        actors: &HashMap<&str, Caller>,
    ) -> Result<(), Refusal> {
        let here = |one: &&Said| one.paper == paper && one.version == version;
        for said in SAID.iter().filter(here) {
            let about = chosen(said.about);
            let id = self
                .change(&actors[said.who], async |write| {
                    let audience = Audience::Readers;
                    asking::ask(
                        write, document, version, said.kind, &audience, said.words, &about,
                    )
                    .await
                })
                .await?;
            if let Some((words, answers)) = said.reply {
                self.change(&actors["clerk"], async |write| {
                    let act = if answers {
                        asking::answer(write, id, words).await?
                    } else {
                        asking::reply(write, id, words).await?
                    };
                    Ok(((), act))
                })
                .await?;
            }
        }
        let (of, on, who, words, about) = NOTE;
        if (of, on) == (paper, version) {
            let about = chosen(about);
            self.change(&actors[who], async |write| {
                asking::keep_note(write, document, version, words, &about).await
            })
            .await?;
        }
        Ok(())
    }
}

fn chosen(words: &str) -> Chosen {
    Chosen {
        quotation: Quotation {
            exact: words.to_owned(),
            ..Quotation::default()
        },
        ..Chosen::default()
    }
}
