//! What an address of the library is asked about: a folder that governors read, a document in it with its file in the store.

use crate::site::Served;
use std::sync::atomic::{AtomicI32, Ordering};

/// Keys of them; empty where the question is of something else.
#[derive(Default)]
pub struct Shelf {
    /// Read by governors and by associate members.
    pub folder: String,
    /// What a form calls the folder: that one, or the one that a document is moved to.
    pub to: String,
    /// The line of its governors.
    pub reader: String,
    pub document: String,
    /// An approval of it that was asked of everybody who reads it; none where that is what is asked for.
    pub approval: String,
    /// Asked about it by the person that the questions are of.
    pub question: String,
    /// Kept by them.
    pub note: String,
}

/// Puts one up behind everybody's back.
pub async fn shelf(served: &mut Served, label: &str, who: uuid::Uuid, address: &str) -> Shelf {
    static NUMBER: AtomicI32 = AtomicI32::new(1);
    let number = NUMBER.fetch_add(2, Ordering::Relaxed);
    let acts = |verb: &str| address.ends_with(verb);
    let mut made = async |statement: String| {
        sqlx::query_scalar::<_, uuid::Uuid>(sqlx::AssertSqlSafe(statement.clone()))
            .fetch_one(&mut *served.behind)
            .await
            .unwrap_or_else(|error| panic!("{statement}: {error}"))
    };
    let mut folder = async |name: String, archived: bool| {
        made(format!(
            "with made as (
               insert into folder (tenant_id, name, restricted, made_by, archived_on)
               select t.id, '{name}', false, '{who}', case when {archived} then sec.today() end from tenant t where t.label = '{label}'
               returning tenant_id, id
             ), named as (
               insert into folder_reader (tenant_id, folder_id, role)
               select m.tenant_id, m.id, r from made m, unnest(array['governor', 'associate']) r
             ) select id from made"
        ))
        .await
    };
    let shelf = folder(format!("Shelf {number}"), acts("/reopen-folder")).await;
    let other = folder(format!("Shelf {}", number + 1), false).await;
    let reader = made(format!(
        "select id from folder_reader where folder_id = '{shelf}' and role = 'governor'"
    ))
    .await;
    let state = if acts("/reinstate") {
        "archived"
    } else if acts("/unbin") {
        "binned"
    } else {
        "current"
    };
    let versions = if acts("/restore") { 2 } else { 1 };
    let document = made(format!(
        "with made as (
           insert into document (tenant_id, folder_id, title, kind, newest, made_by, state, binned_at, binned_by, bin_reason)
           select t.id, '{shelf}', 'Behaviour policy', 'policy', {versions}, '{who}', '{state}',
             case when '{state}' = 'binned' then now() end, case when '{state}' = 'binned' then '{who}'::uuid end,
             case when '{state}' = 'binned' then 'Over' end
           from tenant t where t.label = '{label}' returning tenant_id, id
         ), kept as (
           insert into version (tenant_id, document_id, number, file_name, format, size, sha256, key, made_by)
           select m.tenant_id, m.id, n, 'policy.txt', 'text', 1, sha256('a'), 't/' || m.tenant_id || '/d/' || m.id || '/v/' || m.id, '{who}'
           from made m, generate_series(1, {versions}) n
         ) select id from made"
    ))
    .await;
    let approval = if address.contains("/approvals/") && !acts("/ask") {
        let asked = made(format!(
            "with asked as (
               insert into approval (tenant_id, document_id, version_id, sha256, rule, routine, asked_by, due)
               select v.tenant_id, v.document_id, v.id, v.sha256, 'everyone', true, '{who}', sec.today() + 7
               from version v where v.document_id = '{document}' returning tenant_id, id, version_id
             ), people as (
               select a.tenant_id, a.id, a.version_id, m.id as membership_id from asked a
               join membership m on m.tenant_id = a.tenant_id
               join account c on c.id = m.account_id and (c.email not like 'target%' or m.id = '{who}')
               where sec.reads_folder(m.tenant_id, '{shelf}', m.id)
             ), opened as (
               insert into opening (tenant_id, version_id, membership_id) select tenant_id, version_id, membership_id from people
             ), places as (
               insert into approval_place (tenant_id, approval_id, membership_id) select tenant_id, id, membership_id from people
               returning tenant_id
             ) select id from asked"
        ))
        .await;
        if acts("/take-back") {
            // All but the one it is about, or but the newest where it is about none of them: the last answer closes it.
            made(format!(
                "with answers as (
                   insert into approval_answer (tenant_id, approval_id, membership_id, by_id, answer)
                   select tenant_id, approval_id, membership_id, membership_id, 'agree' from approval_place
                   where approval_id = '{asked}' and membership_id <> (
                     select membership_id from approval_place where approval_id = '{asked}'
                     order by membership_id <> '{who}', membership_id desc limit 1
                   ) returning approval_id
                 ) select '{asked}'::uuid from (select count(*) from answers) a"
            ))
            .await;
        }
        asked.to_string()
    } else {
        String::new()
    };
    let asked = if acts("/reopen") {
        ("answered", format!("'{who}', now()"))
    } else {
        ("open", "null, null".to_owned())
    };
    let question = made(format!(
        "insert into question (tenant_id, document_id, asked_on, kind, audience, body, state, asked_by, answered_by, answered_at)
         select tenant_id, id, 1, 'question', 'readers', 'Why?', '{}', '{who}', {} from document where id = '{document}' returning id",
        asked.0, asked.1
    ))
    .await;
    let note = made(format!(
        "insert into note (tenant_id, document_id, kept_on, membership_id, body)
         select tenant_id, id, 1, '{who}', 'Look at this again' from document where id = '{document}' returning id"
    ))
    .await;
    if address.contains("/copy") {
        made(format!(
            "insert into reading_copy (tenant_id, version_id, state, key, size, sha256)
             select v.tenant_id, v.id, 'made', 't/' || v.tenant_id || '/d/' || v.document_id || '/c/' || v.document_id, 1, sha256('a')
             from version v where v.document_id = '{document}' returning version_id"
        ))
        .await;
    }
    if address.contains("/file") || address.contains("/copy") {
        let (tenant, file) = (
            served.behind.tenant(label).await,
            served.folder.path().join("a.txt"),
        );
        std::fs::write(&file, "a").unwrap();
        let sum = <sha2::Sha256 as sha2::Digest>::digest("a").into();
        let kept = if address.contains("/copy") { "c" } else { "v" };
        let key = format!("t/{tenant}/d/{document}/{kept}/{document}");
        served.files.store.put(&key, &file, 1, &sum).await.unwrap();
    }
    Shelf {
        to: if acts("/move") { other } else { shelf }.to_string(),
        folder: shelf.to_string(),
        reader: reader.to_string(),
        document: document.to_string(),
        approval,
        question: question.to_string(),
        note: note.to_string(),
    }
}
