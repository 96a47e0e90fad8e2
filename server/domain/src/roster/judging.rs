//! What is to become of each line, by the roll as it is now and by the lines beside it. By sets and not line by line, so that a
//! hundred thousand lines are compared in seconds.

use uuid::Uuid;

use crate::{
    Refusal,
    db::{Write, refused},
};

/// Judges every line of a roster. What was shown before is set anew; or, where `again`, what would now come out otherwise than it was
/// shown is set aside as moved.
///
/// A line is of the pupil with its UPN, else of the one with its admission number, else perhaps of one with its names and date of
/// birth whom no other line is of by number: that has to be confirmed. An empty cell changes nothing. A pupil who left is not taken
/// back by a roster: their number on a line is an error (Common Basic Data Set error 1520), since it may as well be somebody else's.
pub(super) async fn judge(write: &mut Write, import: Uuid, again: bool) -> Result<(), Refusal> {
    let tenant = write.standing.tenant;
    // The rows are new and there are no statistics of them, by which the planner would take each for the only one.
    sqlx::query_scalar!("select set_config('enable_nestloop', 'off', true)")
        .fetch_one(write.connection())
        .await
        .map_err(refused)?;
    sqlx::query!(
        r#"
        with roll as materialized (
          select p.id, p.upn, p.admission_number, p.first_name, p.last_name, p.preferred_name, p.born, p.sex, p.year_group,
            p.left_on, lower(p.first_name) as first_key, lower(p.last_name) as last_key, g.name as registration
          from pupil p
          left join group_pupil x on x.tenant_id = p.tenant_id and x.pupil_id = p.id and x.kind = 'registration'
            and x.during @> sec.today()
          left join teaching_group g on g.tenant_id = x.tenant_id and g.id = x.group_id
          where p.tenant_id = $1
        ), class as materialized (
          select distinct x.pupil_id, lower(g.name) as name_key from group_pupil x
          join teaching_group g on g.tenant_id = x.tenant_id and g.id = x.group_id
          where x.tenant_id = $1 and x.kind = 'class' and x.during @> sec.today()
        ), line as materialized (
          select r.id, r.line, r.upn, r.admission_number, r.first_name, r.last_name, r.preferred_name, r.born, r.sex, r.year_group,
            r.registration, r.class, r.wrong, r.confirmed, lower(r.first_name) as first_key, lower(r.last_name) as last_key,
            -- A roster with a line for each class repeats the pupil word for word.
            min(r.line) over (partition by r.upn, r.admission_number, r.first_name, r.last_name, r.preferred_name, r.born, r.sex,
              r.year_group, lower(r.registration), r.wrong,
              case when coalesce(r.upn, r.admission_number) is null or r.class is null then r.line end) as of_line
          from roster_row r where r.tenant_id = $1 and r.import_id = $2
        ), head as materialized (
          select l.*,
            case when l.upn is not null and count(*) over u > 1
              then case when l.line = min(l.line) over u then max(l.line) over u else min(l.line) over u end end as upn_twin,
            case when l.admission_number is not null and count(*) over a > 1
              then case when l.line = min(l.line) over a then max(l.line) over a else min(l.line) over a end end as admission_twin,
            case when l.born is not null and count(*) over n > 1
              then case when l.line = min(l.line) over n then max(l.line) over n else min(l.line) over n end end as name_twin
          from line l where l.line = l.of_line
          window u as (partition by l.upn), a as (partition by lower(l.admission_number)),
            n as (partition by l.first_key, l.last_key, l.born)
        ), numbered as materialized (
          select h.*, u.id as upn_of, a.id as admission_of, coalesce(u.id, a.id) as number_of
          from head h left join roll u on u.upn = h.upn left join roll a on a.admission_number = h.admission_number
        ), named as materialized (
          select r.first_key, r.last_key, r.born, count(*) as many, (array_agg(r.id))[1] as id from roll r
          left join (select distinct number_of from numbered where number_of is not null) n on n.number_of = r.id
          where n.number_of is null
          group by r.first_key, r.last_key, r.born
        ), matched as materialized (
          select n.*, coalesce(m.many, 0) as named,
            case when n.number_of is not null then n.number_of when m.many = 1 and n.confirmed is distinct from false then m.id end
              as match_id,
            case when n.upn_of is not null then 'upn' when n.admission_of is not null then 'admission'
              when m.many = 1 and n.confirmed is distinct from false then 'name' end as match_by
          from numbered n
          left join named m on n.number_of is null and m.first_key = n.first_key and m.last_key = n.last_key and m.born = n.born
        ), shared as materialized (
          select m.match_id, min(m.line) as first, max(m.line) as last, count(*) as many from matched m
          where m.match_id is not null and (m.match_by <> 'name' or m.confirmed)
          group by m.match_id
        ), beside as materialized (
          select m.*, t.left_on, t.first_name as t_first, t.last_name as t_last, t.preferred_name as t_preferred, t.upn as t_upn,
            t.admission_number as t_admission, t.born as t_born, t.sex as t_sex, t.year_group as t_year,
            t.registration as t_registration,
            (select coalesce(jsonb_agg(jsonb_build_object('field', f.field, 'severity', f.severity, 'code', f.code,
                'sentence', f.sentence, 'repair', null) order by f.place), '[]')
             from (values
               (1, m.upn_twin is not null, 'upn', 'error', 'upn_twice', 'Line ' || m.upn_twin
                 || ' has the same UPN: correct the one that is wrong, or take one line out.'),
               (2, m.admission_twin is not null, 'admission_number', 'error', 'admission_twice', 'Line ' || m.admission_twin
                 || ' has the same admission number: correct the one that is wrong, or take one line out.'),
               (3, m.name_twin is not null, null, 'warning', 'pupil_twice', 'Line ' || m.name_twin
                 || ' has the same name and date of birth: check that these are two pupils.'),
               (4, m.upn_of <> m.admission_of, 'upn', 'error', 'number_taken',
                 'The UPN is one pupil’s here and the admission number another’s: correct the one that is wrong.'),
               (5, m.number_of is not null and t.born <> m.born and t.last_key <> m.last_key, 'upn', 'error', 'number_taken',
                 'A pupil here has this number, with another surname and another date of birth: correct the number, or the pupil’s '
                 || 'record if this is a change.'),
               (6, t.left_on is not null, 'upn', 'error', 'pupil_left',
                 'This is a pupil’s who has left: take them onto the roll again if they came back, else correct the number.'),
               (7, s.many > 1, null, 'error', 'pupil_twice', 'Line ' || case when s.first = m.line then s.last else s.first end
                 || ' is of the same pupil here: correct the one that is wrong, or take one line out.'),
               (8, m.number_of is null and m.named > 1, null, 'error', 'pupil_twice',
                 'Several pupils here have this name and date of birth: give the line the UPN or admission number of the right one.'),
               (9, m.number_of is not null and m.upn <> t.upn and m.upn_of is null, 'upn', 'warning', 'number_changed',
                 'The pupil has another UPN here: check that this is the one that replaces it.')
             ) as f (place, holds, field, severity, code, sentence) where f.holds) as found
          from matched m
          left join roll t on t.id = m.match_id
          left join shared s on s.match_id = m.match_id
        ), verdict as materialized (
          select b.*,
            case when b.wrong or b.found @> '[{"severity": "error"}]' then 'bad'
              when b.match_by = 'name' and b.confirmed is null then 'unsure'
              when b.match_id is null then 'new' end as fixed
          from beside b
        ), judged as materialized (
          select l.id, l.line, l.of_line, v.match_id, v.match_by,
            v.found, v.fixed,
            (select coalesce(jsonb_agg(jsonb_build_object('field', f.field, 'was', f.was, 'becomes', f.becomes) order by f.place), '[]')
             from (values
               (1, 'upn', v.t_upn, l.upn), (2, 'admission_number', v.t_admission, l.admission_number),
               (3, 'first_name', v.t_first, l.first_name), (4, 'last_name', v.t_last, l.last_name),
               (5, 'preferred_name', v.t_preferred, l.preferred_name),
               (6, 'born', to_char(v.t_born, 'YYYY-MM-DD'), to_char(l.born, 'YYYY-MM-DD')),
               (7, 'sex', v.t_sex, l.sex), (8, 'year_group', v.t_year, l.year_group),
               (9, 'registration_group', v.t_registration,
                 case when lower(l.registration) is distinct from lower(v.t_registration) then l.registration else v.t_registration end),
               (10, 'class_name', null, case when c.pupil_id is null then l.class end)
             ) as f (place, field, was, becomes)
             where f.becomes is not null and f.becomes is distinct from f.was and (l.line = l.of_line or f.place = 10)) as changes
          from line l
          join verdict v on v.line = l.of_line
          left join class c on c.pupil_id = v.match_id and c.name_key = lower(l.class)
        ), told as materialized (
          select j.id, j.of_line, j.match_id, j.match_by, j.found,
            case when j.fixed in ('bad', 'unsure') then j.fixed
              when j.fixed = 'new' and j.line = j.of_line then 'new'
              when j.changes = '[]' then 'same' else 'changed' end as verdict,
            case when j.fixed = 'bad' then '[]' else j.changes end as changes
          from judged j
        )
        update roster_row r set of_line = t.of_line, match_id = t.match_id, match_by = t.match_by, found = t.found,
          changes = t.changes,
          shown = case when $3 then r.shown else md5(concat_ws('|', t.verdict, t.match_id, t.changes)) end,
          verdict = case when $3 and r.shown is distinct from md5(concat_ws('|', t.verdict, t.match_id, t.changes))
            then 'moved' else t.verdict end
        from told t
        where r.tenant_id = $1 and r.import_id = $2 and r.id = t.id
        "#,
        tenant,
        import,
        again
    )
    .execute(write.connection())
    .await
    .map_err(refused)?;
    Ok(())
}
