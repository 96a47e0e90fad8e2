//! People of a school: how they come in, stay, change each other and leave, and every way around it that somebody might
//! try.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod approval;
mod audit;
mod board;
mod caseload;
mod change;
mod check;
mod committee;
mod copy;
mod demo_pupils;
mod demo_records;
mod digest;
mod factor;
mod interest;
mod leaving;
mod library;
mod lockout;
mod log;
mod many;
mod membership;
mod notice;
mod office;
mod onrecord;
mod overview;
mod parent;
mod parent_model;
mod part;
mod picture;
mod pupil;
mod question;
mod record;
mod recovery;
mod register;
mod removal;
mod rollover;
mod roster;
mod scene;
mod session;
mod tag;
mod term;
mod trail;
mod unattended;
mod unusual;
mod waiting;
