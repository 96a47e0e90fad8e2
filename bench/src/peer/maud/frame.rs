//! What stands around every page of the bare peer, and the small things that each of them draws.

use axum::response::Html;
use maud::{DOCTYPE, Markup, html};
use time::OffsetDateTime;

use super::{
    read::Me,
    words::{self, initials},
};

/// The places of a clerk: address, icon, name.
const PLACES: [(&str, &str, &str); 7] = [
    ("/", "home", "Home"),
    ("/people", "people", "People"),
    ("/board", "board", "Board"),
    ("/library", "folder", "Papers"),
    ("/approvals", "check", "Approvals"),
    ("/audit", "history", "The log"),
    ("/me", "account", "My account"),
];

pub(super) fn icon(name: &str) -> Markup {
    html! { svg.icon aria-hidden="true" { use href={ "/icons.svg#" (name) } {} } }
}

pub(super) fn moment(at: OffsetDateTime, short: bool) -> Markup {
    let full = words::full(at);
    html! {
        time datetime=(words::machine(at)) title=[short.then_some(&full)] {
            @if short { (words::short(at)) } @else { (full) }
        }
    }
}

pub(super) fn head(title: &str, lead: &str, actions: Option<Markup>) -> Markup {
    html! {
        div.head {
            div { h1 { (title) } p { (lead) } }
            @if let Some(actions) = actions { div.actions { (actions) } }
        }
    }
}

/// The document and the frame around a page.
pub(super) fn framed(me: &Me, path: &str, title: &str, page: &Markup) -> Html<String> {
    let (search, seek) = if path == "/approvals" {
        ("/library/search", "Search papers")
    } else {
        ("/people", "Search people")
    };
    let role = words::roles(&me.roles);
    let role = role.split(", ").next().unwrap_or_default();
    let current = |href: &str| (href == path).then_some("page");
    let page = html! {
        (DOCTYPE)
        html lang="en-GB" data-accent="green" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                link rel="icon" href="/favicon.svg" type="image/svg+xml";
                title { (title) " · Quorate" }
            }
            body {
                a.skip href="#main" { "Skip to the page" }
                div.frame {
                    header.bar {
                        a.school href="/" {
                            span.crest aria-hidden="true" { @if let Some(letter) = me.place.chars().next() { (letter) } }
                            span { (me.place) }
                        }
                        form.search role="search" action=(search) {
                            label.hidden-text for="search" { (seek) }
                            (icon("search"))
                            input #search type="search" name="q" placeholder=(seek) autocomplete="off";
                        }
                        span.live data-state="connecting" { "Not live" }
                        a.search-link href=(search) { (icon("search")) span.hidden-text { (seek) } }
                        details.who name="bar" {
                            summary {
                                span.name { b { (me.name) } small { (role) } }
                                span.face aria-hidden="true" { (initials(&me.name)) }
                            }
                            div.menu {
                                p { "Signed in as " b { (me.name) } }
                                a href="/me" { (icon("account")) "My account" }
                                a href="/schools" { (icon("school")) "My schools" }
                                form method="post" action="/sign-in" {
                                    input type="hidden" name="act" value="session/sign-out";
                                    button { (icon("sign-out")) "Sign out" }
                                }
                            }
                        }
                    }
                    nav.rail aria-label="Places" {
                        ul role="list" {
                            @for (href, symbol, name) in PLACES {
                                li { a href=(href) aria-current=[current(href)] { (icon(symbol)) span { (name) } } }
                            }
                            li.more {
                                details name="bar" {
                                    summary { (icon("more")) span { "More" } }
                                    div.menu {
                                        @for (href, symbol, name) in PLACES.into_iter().skip(4) {
                                            a href=(href) aria-current=[current(href)] { (icon(symbol)) (name) }
                                        }
                                    }
                                }
                            }
                        }
                    }
                    main.page #main tabindex="-1" { (page) }
                }
                div.news role="status" {}
                div.hidden-text role="status" {}
            }
        }
    };
    Html(page.into_string())
}
