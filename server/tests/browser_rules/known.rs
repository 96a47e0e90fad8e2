//! What a stranger is told who holds a certificate, and who does not.

use axum::http::Method;
use testing::Stand;

use crate::{CLERK, site::Served};

/// An adopted approval of a paper at Oakfield, whose SHA-256 is that of "a": its id.
async fn adopted(served: &mut Served) -> String {
    let statement = "with who as (
           select m.tenant_id, m.id from membership m join account a on a.id = m.account_id
           join tenant t on t.id = m.tenant_id and t.label = 'oakfield' where a.email = 'clerk@oakfield.example'
         ), shelf as (
           insert into folder (tenant_id, name, restricted, made_by) select tenant_id, 'Grievance', false, id from who returning tenant_id, id
         ), named as (
           insert into folder_reader (tenant_id, folder_id, role) select tenant_id, id, 'governor' from shelf
         ), paper as (
           insert into document (tenant_id, folder_id, title, kind, newest, made_by)
           select s.tenant_id, s.id, 'Letter of 4 June', 'report', 1, w.id from shelf s cross join who w returning tenant_id, id, made_by
         ), kept as (
           insert into version (tenant_id, document_id, number, file_name, format, size, sha256, key, made_by)
           select p.tenant_id, p.id, 1, 'letter.txt', 'text', 1, sha256('a'), 't/' || p.tenant_id || '/d/' || p.id || '/v/' || p.id, p.made_by
           from paper p returning id
         ) select id from paper";
    let paper: uuid::Uuid = sqlx::query_scalar(statement)
        .fetch_one(&mut *served.behind)
        .await
        .unwrap();
    let approval: uuid::Uuid = sqlx::query_scalar(
        "with asked as (
           insert into approval (tenant_id, document_id, version_id, sha256, rule, asked_by, due)
           select v.tenant_id, v.document_id, v.id, v.sha256, 'everyone', v.made_by, sec.today() + 7
           from version v where v.document_id = $1 returning tenant_id, id, asked_by
         ), places as (
           insert into approval_place (tenant_id, approval_id, membership_id) select tenant_id, id, asked_by from asked
         ) select id from asked",
    )
    .bind(paper)
    .fetch_one(&mut *served.behind)
    .await
    .unwrap();
    sqlx::query("update approval set state = 'adopted' where id = $1")
        .bind(approval)
        .execute(&mut *served.behind)
        .await
        .unwrap();
    approval.to_string()
}

/// The SHA-256 of "a".
const SHA256: &str = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb";

#[tokio::test]
async fn who_holds_a_certificate_is_told_two_things_and_whoever_guesses_nothing() {
    let mut served = Served::here().await;
    let approval = adopted(&mut served).await;
    let clerk = served
        .cookie(Some("oakfield"), CLERK, Stand::SteppedUp)
        .await;
    // At the school's own host, at another's and at the bare one, signed in or not: the same two things.
    for (label, cookie) in [
        ("oakfield", ""),
        ("northgate", ""),
        ("", ""),
        ("oakfield", &*clerk),
    ] {
        let told = served
            .get(label, &format!("/known/{approval}/{SHA256}"), cookie)
            .await;
        assert_eq!(told.status.as_u16(), 200, "{label}");
        assert_eq!(told.text(), r#"{"state":"adopted","newest":true}"#);
        assert_eq!(told.header("content-type"), "application/json");
        assert_eq!(told.header("cache-control"), "no-store");
        assert_eq!(told.header("access-control-allow-origin"), "");
        assert_eq!(told.new_cookie(), None);
    }
    let nothing = served
        .get(
            "oakfield",
            &format!("/known/01900000-0000-7000-8000-000000000003/{SHA256}"),
            "",
        )
        .await;
    assert_eq!(nothing.status.as_u16(), 404);
    let other = SHA256.replace("ca97", "ca98");
    for address in [
        format!("/known/{approval}/{other}"),
        format!("/known/{approval}/{}", SHA256.to_uppercase()),
        format!("/known/{approval}/{}", &SHA256[..62]),
        format!("/known/{approval}/..%2f..%2fsign-in"),
        format!("/known/anything/{SHA256}"),
    ] {
        let answer = served.get("oakfield", &address, "").await;
        assert_eq!(answer.status.as_u16(), 404, "{address}");
        assert_eq!(answer.body, nothing.body, "{address}");
        assert_eq!(answer.headers, nothing.headers, "{address}");
    }
    for address in [
        format!("/known/{approval}"),
        "/known/".to_owned(),
        format!("/known/{approval}/{SHA256}/file"),
    ] {
        let answer = served.get("oakfield", &address, "").await;
        assert_ne!(answer.status.as_u16(), 200, "{address}");
    }
    let posted = served
        .ask(
            Method::POST,
            "oakfield",
            &format!("/known/{approval}/{SHA256}"),
        )
        .send()
        .await;
    assert_eq!(posted.status.as_u16(), 405);
}
