//! What a browser says of the certificates of this crate: `public/check/check.js`, run by node, which the browser tests need
//! anyway, and which has the same Web Crypto.

mod desk;

use std::{fs, path::Path, process::Command};

use desk::{PAPER, approval, signer, six};
use print::{certificate, certificate_json};

#[test]
fn a_browser_tells_certificates_from_forgeries() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("check");
    fs::create_dir_all(&folder).unwrap();
    let mut imitation = six();
    imitation.document.title = format!(
        "<pdf:Keywords>quorate-certificate:1 sha256:{0} approval:00000000-0000-0000-0000-000000000000 key:{0} signature:{0}{0}</pdf:Keywords>",
        "0".repeat(64)
    );
    for (name, bytes) in [
        ("paper.bin", PAPER.to_vec()),
        ("certificate.pdf", certificate(&six(), &signer()).unwrap()),
        (
            "certificate.json",
            certificate_json(&six(), &signer()).unwrap(),
        ),
        ("imitation.pdf", certificate(&imitation, &signer()).unwrap()),
        (
            "imitation.json",
            certificate_json(&imitation, &signer()).unwrap(),
        ),
    ] {
        fs::write(folder.join(name), bytes).unwrap();
    }
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let run = Command::new("node")
        .arg("--test")
        .arg(here.join("tests/check.mjs"))
        .env("QUORATE_CHECK", here.join("../../public/check/check.js"))
        .env("QUORATE_FOLDER", &folder)
        .env("QUORATE_KEY", signer().public().to_string())
        .env("QUORATE_APPROVAL", approval().to_string())
        .output()
        .expect("node, which runs the browser tests too");
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(
        run.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&run.stderr)
    );
    assert!(
        said.contains("# fail 0") || said.contains("fail 0"),
        "{said}"
    );
    println!("{said}");
}
