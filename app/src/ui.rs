//! Parts that every page is made of.

use leptos::prelude::*;

/// What is not seen does not exist: the same page whether it never was or is not yours.
#[component]
pub fn NotFound() -> impl IntoView {
    #[cfg(feature = "ssr")]
    if let Some(response) = use_context::<leptos_axum::ResponseOptions>() {
        response.set_status(http::StatusCode::NOT_FOUND);
    }
    view! {
        <main id="main">
            <h1>"There is nothing here"</h1>
        </main>
    }
}
