//! `/check`: whether a certificate and a file belong together. For anybody, signed in or not; the browser reads both and sends
//! neither. Whether a newer version came since is asked of the server where somebody wants that, by two values that are shown.

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
            "Choose the certificate of an approval and the file it is about, or drop them on the form. Your browser compares them here: neither is sent to anybody.",
            view! {
                <form class="form" data-check="" data-keys=key.clone()>
                    <div class="field"><label for="certificate">"Certificate"</label><p class="hint" id="certificate-hint">"The PDF as it was downloaded, not a scan or a new print of it."</p>
                        <input id="certificate" name="certificate" type="file" accept=".pdf,.json" aria-describedby="certificate-hint" /></div>
                    <div class="field"><label for="file">"The file"</label><input id="file" name="file" type="file" /></div>
                    <button class="button primary">"Compare them"</button>
                    <output class="checked" for="certificate file" aria-live="polite"></output>
                    <div class="stack" data-server="" hidden="">
                        <p>"The certificate cannot know what came after it. The school’s server can: if you press the button, and not before, your browser sends it these two values from the certificate, and nothing of the file or of what else the certificate says."</p>
                        <dl class="details">
                            <div><dt>"The id of the approval"</dt><dd><code class="hash" data-sent="approval"></code></dd></div>
                            <div><dt>"The SHA-256 of the file"</dt><dd><code class="hash" data-sent="sha256"></code></dd></div>
                        </dl>
                        <div class="actions"><button class="button" type="button">"Ask the school’s server whether a newer version exists"</button></div>
                        <output class="checked" aria-live="polite"></output>
                    </div>
                    <noscript><p>"This comparison is done by a script in your browser, so that you need not send us the file. Without one, compare the SHA-256 that stands on the certificate with that of the file; "<code>"sha256sum"</code>" or "<code>"certutil -hashfile"</code>" says it."</p></noscript>
                </form>
                <section class="prose" aria-labelledby="unknown">
                    <h2 id="unknown">"What this page cannot know"</h2>
                    <ul>
                        <li>"Whether the people on the certificate are who they said they were. It says who was signed in at the school."</li>
                        <li>"Whether a certificate was made up by somebody who has the key of this service, or, where your browser cannot check signatures, by anybody. Only the server knows which approvals there were: ask it."</li>
                        <li>"Whether a newer version was filed after the certificate was made. Only the server knows that too."</li>
                        <li>"Whether the server tells the truth. The school can tell you by another way which key is its own, and what its log says."</li>
                    </ul>
                </section>
                <script type="module" src="/check/check.js"></script>
            },
        )
    })
}
