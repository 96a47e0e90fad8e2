//! The wasm entry point: takes over the page the server rendered.

#![recursion_limit = "512"]

/// Called by the script that the shell puts into every page.
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_body(app::App);
}
