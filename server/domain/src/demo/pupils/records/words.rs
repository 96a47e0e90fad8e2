//! What the adults of the demo wrote: invented, of nobody in particular, without anybody's name but the one that is put in for `{}`.

use crate::{
    demo::pupils::dice::Dice,
    wellbeing::{Domain, Level},
};

const GOOD: &[&str] = &[
    "Came in singing. Shared the glue without being asked.",
    "Helped a younger child find the office.",
    "Read aloud to the group for the first time this term.",
    "Proud of the model from the weekend; talked about it at length.",
    "Finished early and asked for more.",
    "Laughing at break with two others.",
    "Put a hand up three times in one lesson.",
    "Settled within a minute after lunch.",
    "Chosen first for the team and pleased about it.",
    "Quiet, but smiling. Ate all of lunch.",
];

const SO_SO: &[&str] = &[
    "Slow to start, fine once going.",
    "Tired after a late night.",
    "Wet break, a bit restless in the afternoon.",
    "Worried about the test; better when it was over.",
    "Preferred to work alone today.",
    "A cold. Kept going.",
    "Needed reminding twice, then did it well.",
    "Forgot the kit and was cross about it, not for long.",
    "Said it was a boring day. Joined in all the same.",
];

const LOW: &[&str] = &[
    "On the edge of the playground for most of break.",
    "Tearful at the gate, calmer by register.",
    "Head down on the table twice.",
    "Would not say what the matter was. I ask again tomorrow.",
    "Left the room once; came back by themselves after five minutes.",
    "Did not eat at lunch.",
    "Asked to stay in with me at break.",
    "Nothing written in the lesson, which is new.",
];

/// A note that fits the levels.
pub(super) fn note(levels: &[(Domain, Level)], dice: &mut Dice) -> &'static str {
    let sum: usize = levels
        .iter()
        .map(|(_, level)| usize::from(level.number()))
        .sum();
    let tenths = sum * 10 / levels.len().max(1);
    dice.pick(match tenths {
        0..29 => LOW,
        29..38 => SO_SO,
        _ => GOOD,
    })
}

/// Observations of something good, fit for parents as they stand.
pub(super) const PRAISE: &[&str] = &[
    "{} explained the water cycle to the whole class, with drawings on the board, and answered questions.",
    "{} noticed that somebody had nobody to sit with at lunch, and went over.",
    "{} stayed with a hard problem for twenty minutes today and solved it.",
    "{} spoke in assembly, clearly and without notes.",
    "{} looked after our visitor all morning and remembered where everything is.",
    "{} has read four books since the holidays and recommended one of them to me.",
    "{} lost a match, shook hands and asked for another one.",
    "{} wrote a poem about the rain. It is on the wall beside the door.",
    "{} said sorry without being asked, and meant it.",
    "{} sang the first verse alone at rehearsal.",
];

/// Observations of a worry.
pub(super) const WORRY: &[&str] = &[
    "{} sat under the table at the start of the lesson and came out when the others had gone to assembly.",
    "{} has stopped playing with the usual group. At break {} walks along the fence.",
    "{} tore up a page of work because one word was wrong.",
    "{} was late four times this week and hungry on two of the days. The office knows.",
    "{} hid in the cloakroom before swimming and would not say why.",
    "{} fell asleep in the story. When asked: “My brother is loud at night.”",
    "{} shouted at me when we changed the timetable, then cried.",
];

/// Conversations with home: with whom, and what was said.
pub(super) const TALKS: &[(&str, &str)] = &[
    (
        "A parent, at the gate",
        "Told them that {} is doing well in reading. They had noticed it at home too.",
    ),
    (
        "A parent, by telephone",
        "They asked how {} is at break. I said what I see, and look out this week. We speak again on Friday.",
    ),
    (
        "A grandparent, in the office",
        "{} stays with them on two nights a week from now on. The bag comes with them.",
    ),
    (
        "Both parents, at parents’ evening",
        "We looked at the trend of this term. They said that {} sleeps badly since the move. Agreed: a quiet start in the mornings.",
    ),
    (
        "A parent, by telephone",
        "Homework is a fight at home. We agreed that {} does ten minutes and stops, whatever is done by then.",
    ),
    (
        "A parent, after school",
        "They are pleased. No worries from either side.",
    ),
    (
        "A parent, by letter",
        "They wrote that {} would like to join the choir. Passed it on.",
    ),
];

/// Plans.
pub(super) const PLANS: &[&str] = &[
    "{} starts the day with ten minutes in the library corner, then joins the register. A card on the table says what comes next.",
    "{} sits at the front on the left. Instructions one at a time, and a nod when they were heard.",
    "A place for {} at the breakfast club until half term, as agreed with home.",
    "{} chooses one other child for a game in the gym on Mondays and Thursdays.",
    "A word with {} at the end of each day: one thing that went well, written in the small book.",
    "{} may leave the room with the blue card, for five minutes, to the bench beside the office.",
];

/// What an intervention is to change, what is done, and how many times.
pub(super) const HELP: &[(&str, &str, u16)] = &[
    (
        "To be calm within five minutes of arriving",
        "Ten minutes with an adult each morning, with a drawing of how the day goes",
        30,
    ),
    (
        "To have somebody to be with at break",
        "A group of four on Tuesdays, with games that take turns",
        6,
    ),
    (
        "To say what is wrong instead of leaving",
        "A talk of twenty minutes on Wednesdays, with cards for feelings",
        6,
    ),
    (
        "To start on a task within two minutes",
        "The task in three steps on a card, ticked off together",
        20,
    ),
    (
        "To feel safe at lunch",
        "Lunch in the small room with one other child, then back in steps",
        10,
    ),
    (
        "To look forward to something in the week",
        "An hour in the garden on Fridays, with a job that is theirs alone",
        6,
    ),
];

/// Why it was looked at again, with what was found: what helped as far as one can say, what did not, and what nobody can tell.
pub(super) const BETTER: &[&str] = &[
    "Reviewed: calmer on most mornings since. It may have got better by itself; we stop and watch.",
    "Reviewed: better than before, with ups and downs. Home says the same. It ends here.",
];
pub(super) const THE_SAME: &[&str] = &[
    "Reviewed: no change that we can see. It ends here, and we try something else.",
    "Reviewed: too few check-ins to say anything. It ends here.",
    "Reviewed: about the same. The sessions were liked, which is something; they end here.",
];

/// Puts a name in.
pub(super) fn of(text: &str, name: &str) -> String {
    text.replace("{}", name)
}
