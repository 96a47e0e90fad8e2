//! Work that takes a processor for longer than a moment: never on the threads that answer, and only so much of it at once.

use std::time::Duration;

use tokio::{sync::Semaphore, time::timeout};

use crate::{Refusal, db::broken};

/// How many do such work at once; the others wait.
const AT_ONCE: usize = 2;

static PLACES: Semaphore = Semaphore::const_new(AT_ONCE);

/// How long somebody waits for a place: they hold a connection to the database meanwhile, of which others need one.
const WAIT: Duration = Duration::from_secs(3);

/// Does work that needs nothing but a processor, and knows itself when it has done enough. Refuses [`Refusal::Unavailable`] where too
/// much of it is to be done just now.
pub(crate) async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Refusal> {
    let place = timeout(WAIT, PLACES.acquire())
        .await
        .map_err(|_| Refusal::Unavailable)?
        .map_err(|error| broken("waiting for a processor", &error))?;
    tokio::task::spawn_blocking(move || {
        let done = work();
        // Held until the work is over, also when the request has gone.
        drop(place);
        done
    })
    .await
    .map_err(|error| broken("work apart", &error))
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
        time::Duration,
    };

    use super::{AT_ONCE, apart};

    #[tokio::test]
    async fn twenty_who_ask_at_once_take_no_more_than_their_places() {
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let many: Vec<_> = (0..20)
            .map(|number| {
                let (now, most) = (now.clone(), most.clone());
                tokio::spawn(apart(move || {
                    most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    std::thread::sleep(Duration::from_millis(5));
                    now.fetch_sub(1, Ordering::SeqCst);
                    number
                }))
            })
            .collect();
        for (number, one) in many.into_iter().enumerate() {
            assert_eq!(one.await.unwrap(), Ok(number));
        }
        let most = most.load(Ordering::SeqCst);
        assert!((1..=AT_ONCE).contains(&most), "{most}");
    }

    #[tokio::test]
    async fn work_that_falls_over_is_a_fault_of_ours_and_gives_its_place_back() {
        for _ in 0..2 * AT_ONCE {
            let fell = apart(|| -> u8 { panic!("on purpose") }).await;
            assert_eq!(fell, Err(crate::Refusal::Broken));
        }
        assert_eq!(apart(|| 1).await, Ok(1));
    }
}
