//! What is seen: the shell, the one table of pages, and the nouns behind them.

#[cfg(all(feature = "ssr", feature = "hydrate"))]
compile_error!("`ssr` and `hydrate` are two programs; build them apart");

mod ui;

use leptos::prelude::*;
use leptos_meta::{HashedStylesheet, Title, provide_meta_context};
use leptos_router::{
    components::{Route, Router, Routes},
    path,
};

/// The document around every page.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    view! {
        <!DOCTYPE html>
        <html lang="en-GB">
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="light dark" />
                <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
                <HashedStylesheet options=options.clone() id="style" />
                <HydrationScripts options=options.clone() />
                <leptos_meta::MetaTags />
            </head>
            <body>
                <App />
            </body>
        </html>
    }
}

/// All pages. An address that is not here does not exist.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    view! {
        <Title formatter=|title| if title.is_empty() { "Quorate".to_owned() } else { format!("{title} · Quorate") } />
        <Router>
            <Routes fallback=ui::NotFound>
                <Route path=path!("/") view=Home />
            </Routes>
        </Router>
    }
}

#[component]
fn Home() -> impl IntoView {
    let pressed = RwSignal::new(0);
    view! {
        <main id="main">
            <h1>"Quorate"</h1>
            <button on:click=move |_| pressed.update(|n| *n += 1)>"Pressed " {pressed}</button>
        </main>
    }
}
