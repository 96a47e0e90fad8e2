//! stub until the live branch is merged
use leptos::prelude::*;
pub fn version(_topic: &'static str) -> RwSignal<u64> { RwSignal::new(0) }
pub fn rendered_at(_seq: i64) {}
pub fn announce_people(_: Vec<(uuid::Uuid, String, domain::membership::State)>, _: &str, _: &str) {}
#[component] pub fn LiveDot() -> impl IntoView { view! { <span class="live" data-state="connecting" role="status">"Not live"</span> } }
#[component] pub fn News() -> impl IntoView { view! { <div class="news" role="status"></div> } }
