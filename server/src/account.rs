//! `quorate account`: the first administrator of a tenant, and help for somebody who is locked out.

use crate::cli::say;
use crate::config::Config;
use crate::databases::Open;
use crate::stop::Stop;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use clap::Subcommand;
use domain::{Refusal, operator, role::Role};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection};

/// What is done for an account.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Invite a person, such as a school's first administrator, and print the link for them: good once, for seven days.
    Create {
        /// The label of the tenant's host, such as oakfield.
        #[arg(long)]
        tenant: String,
        /// Where the person is known.
        #[arg(long)]
        email: String,
        /// As the person gives it.
        #[arg(long)]
        name: String,
        /// What they will be there, such as `school_admin`; may be given more than once.
        #[arg(long = "role", required = true)]
        roles: Vec<String>,
    },
    /// Lift the lock that wrong passwords put on an account.
    Unlock {
        /// The account's address.
        #[arg(long)]
        email: String,
    },
    /// Take away a lost second factor; the person enrols a new one at the next sign-in.
    ResetFactors {
        /// The account's address.
        #[arg(long)]
        email: String,
    },
}

/// Does it, as the migrator, beside a running server or without one.
pub async fn run(config: &Config, command: Command) -> Result<(), Stop> {
    let open = Open::beside(config).await?;
    let done = act(config, &open, command).await;
    open.close().await;
    done
}

async fn act(config: &Config, open: &Open, command: Command) -> Result<(), Stop> {
    let mut connection = open
        .logins()
        .options(cluster::Role::Migrator)?
        .connect()
        .await
        .map_err(|error| Stop::failed(format!("Cannot connect as the migrator: {error}.")))?;
    let done = match command {
        Command::Create {
            tenant,
            email,
            name,
            roles,
        } => create(config, &mut connection, &tenant, &email, &name, &roles).await,
        Command::Unlock { email } => known(
            operator::unlock(&mut connection, &email).await,
            "The account is unlocked.\n",
        ),
        Command::ResetFactors { email } => known(
            operator::reset_factors(&mut connection, &email).await,
            "The second factor is gone; the next sign-in enrols a new one.\n",
        ),
    };
    let _ = connection.close().await;
    done
}

async fn create(
    config: &Config,
    connection: &mut PgConnection,
    tenant: &str,
    email: &str,
    name: &str,
    roles: &[String],
) -> Result<(), Stop> {
    let roles: Vec<Role> = roles
        .iter()
        .map(|code| {
            Role::from_code(code).ok_or_else(|| Stop::config(format!("There is no role {code}.")))
        })
        .collect::<Result<_, _>>()?;
    let token = operator::invite(connection, tenant, email, name, &roles)
        .await
        .map_err(refused)?;
    let token = token.ok_or_else(|| {
        Stop::failed("There is no such tenant, or the person is a member of it already.")
    })?;
    let link = format!(
        "{}/invitation/{}",
        config.origin.of_tenant(tenant),
        URL_SAFE_NO_PAD.encode(token.bytes())
    );
    say(&format!("{link}\n"))
}

fn known(done: Result<bool, Refusal>, sentence: &str) -> Result<(), Stop> {
    if done.map_err(refused)? {
        say(sentence)
    } else {
        Err(Stop::failed("There is no such account."))
    }
}

#[allow(clippy::needless_pass_by_value, reason = "the shape of map_err")]
fn refused(refusal: Refusal) -> Stop {
    Stop::failed(refusal.to_string())
}
