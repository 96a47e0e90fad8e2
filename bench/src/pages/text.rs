//! What a reader sees of a page: its words, without whatever is around them. Two pages are the same to a reader when these are.

use scraper::{Html, Node};

/// Elements whose text nobody sees.
const UNSEEN: &[&str] = &["head", "script", "style", "template", "noscript", "svg"];

/// The visible text of a document, all white space left out: how a framework lays out its elements makes no difference, and
/// every letter does.
pub fn visible(html: &str) -> String {
    let document = Html::parse_document(html);
    let mut text = String::new();
    let mut open = vec![document.tree.root()];
    while let Some(node) = open.pop() {
        match node.value() {
            Node::Text(words) => {
                text.extend(words.chars().filter(|letter| !letter.is_whitespace()));
            }
            Node::Element(element)
                if UNSEEN.contains(&element.name()) || element.attr("hidden").is_some() => {}
            _ => {
                let children: Vec<_> = node.children().collect();
                open.extend(children.into_iter().rev());
            }
        }
    }
    text
}

/// Where two texts part, in words of either; none where they are the same.
pub fn difference(ours: &str, theirs: &str) -> Option<String> {
    if ours == theirs {
        return None;
    }
    let same = ours
        .chars()
        .zip(theirs.chars())
        .take_while(|(ours, theirs)| ours == theirs)
        .count();
    let near = |text: &str| -> String {
        text.chars()
            .skip(same.saturating_sub(20))
            .take(60)
            .collect()
    };
    Some(format!(
        "its text parts from Quorate's after {same} letters: “{}” instead of “{}”",
        near(theirs),
        near(ours)
    ))
}

/// The first fact that the text does not tell in its turn; none where it tells all of them.
pub fn missing<'a>(text: &str, facts: &'a [String]) -> Option<&'a str> {
    let mut rest = text;
    for fact in facts {
        let letters: String = fact
            .chars()
            .filter(|letter| !letter.is_whitespace())
            .collect();
        match rest.split_once(&letters) {
            Some((_, after)) => rest = after,
            None => return Some(fact),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_words_in_other_elements_are_the_same_page() {
        let ours = "<title>People</title><main><b>Joan O’Brien</b> <small>joan@<wbr>x.example</small></main>";
        let theirs = "<script>a = 'b'</script><p>Joan&nbsp;O&rsquo;Brien<!-- --> joan@x.example</p><template>no</template>";
        assert_eq!(visible(ours), "JoanO’Brienjoan@x.example");
        assert_eq!(difference(&visible(ours), &visible(theirs)), None);
    }

    #[test]
    fn another_letter_is_another_page() {
        let told = difference("AnnaActive", "AnnaInvited").unwrap();
        assert!(told.contains("after 4 letters"), "{told}");
        assert!(difference("Anna", "AnnaB").is_some());
    }

    #[test]
    fn facts_must_come_in_their_order() {
        let facts = ["Anna Lim", "Bert Lim"].map(str::to_owned);
        assert_eq!(missing("AnnaLimBertLim", &facts), None);
        assert_eq!(missing("BertLimAnnaLim", &facts), Some("Bert Lim"));
    }
}
