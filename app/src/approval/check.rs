//! `/check`: whether a certificate and a file belong together. For anybody, signed in or not; the browser reads both and sends neither.

use leptos::prelude::*;

use crate::session::{card, page_of, read_doorway};

/// `/check`
#[component]
pub fn CheckPage() -> impl IntoView {
    let doorway = Resource::new(|| (), |()| read_doorway());
    let key = crate::door::services()
        .secrets
        .signer()
        .map(|signer| signer.public().to_string())
        .unwrap_or_default();
    page_of(doorway, move |doorway| {
        card(
            &doorway,
            "Check a certificate",
            "Choose the certificate of an approval and the file it is about. Your browser compares them here: neither is sent to anybody.",
            view! {
                <form class="form" data-check="" data-keys=key.clone()>
                    <div class="field"><label for="certificate">"Certificate"</label><p class="hint" id="certificate-hint">"The PDF as it was downloaded, not a scan or a new print of it."</p>
                        <input id="certificate" name="certificate" type="file" accept=".pdf,.json" aria-describedby="certificate-hint" /></div>
                    <div class="field"><label for="file">"The file"</label><input id="file" name="file" type="file" /></div>
                    <button class="button primary">"Compare them"</button>
                    <output class="checked" for="certificate file" aria-live="polite"></output>
                    <noscript><p>"This comparison is done by a script in your browser, so that you need not send us the file. Without one, compare the SHA-256 that stands on the certificate with that of the file; "<code>"sha256sum"</code>" or "<code>"certutil -hashfile"</code>" says it."</p></noscript>
                </form>
                <script type="module" src="/check/check.js"></script>
            },
        )
    })
}
