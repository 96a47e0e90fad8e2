//! Questions that many ask at the same moment, asked as one. Whoever comes while one is under way waits for the next, so the more there
//! are, the fewer each costs: nobody waits for a timer, and a single question goes out at once.

use std::future::Future;

use domain::Refusal;
use tokio::sync::{mpsc, oneshot};

/// Asked after at once.
const MOST: usize = 512;
/// Who may wait; whoever comes when so many do waits to wait.
const WAITING_MOST: usize = 8_192;

/// One question with many answers. Its task ends when nobody has it any more.
pub struct Together<K, V>(mpsc::Sender<(K, oneshot::Sender<Result<V, Refusal>>)>);

impl<K, V> Clone for Together<K, V> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K: Send + 'static, V: Send + 'static> Together<K, V> {
    /// `ask` answers each of what it is given, in that order.
    pub fn new<F, A>(ask: F) -> Self
    where
        F: Fn(Vec<K>) -> A + Send + 'static,
        A: Future<Output = Result<Vec<V>, Refusal>> + Send + 'static,
    {
        let (sender, mut receiver) = mpsc::channel::<(K, oneshot::Sender<_>)>(WAITING_MOST);
        tokio::spawn(async move {
            let mut due = Vec::new();
            while receiver.recv_many(&mut due, MOST).await > 0 {
                // Nobody waits any more for what was given up meanwhile.
                due.retain(|(_, waits)| !waits.is_closed());
                let (asked, wait): (Vec<K>, Vec<_>) = due.drain(..).unzip();
                // A task of its own: what panics there takes the questions of this moment along, and no later ones.
                let answers = tokio::spawn(ask(asked)).await;
                match answers.unwrap_or(Err(Refusal::Broken)) {
                    Ok(answers) => {
                        for (waits, answer) in wait.into_iter().zip(answers) {
                            let _ = waits.send(Ok(answer));
                        }
                    }
                    Err(refusal) => {
                        for waits in wait {
                            let _ = waits.send(Err(refusal.clone()));
                        }
                    }
                }
            }
        });
        Self(sender)
    }

    /// The answer for one. Refuses what the question is refused with, and [`Refusal::Unavailable`] where nobody answers.
    pub async fn ask(&self, key: K) -> Result<V, Refusal> {
        let (answer, wait) = oneshot::channel();
        self.0
            .send((key, answer))
            .await
            .map_err(|_| Refusal::Unavailable)?;
        wait.await.map_err(|_| Refusal::Unavailable)?
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{Arc, Mutex},
        time::Duration,
    };

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_comes_while_a_question_is_under_way_is_asked_after_with_all_the_others() {
        let sizes = Arc::new(Mutex::new(Vec::new()));
        let seen = sizes.clone();
        let doubled = Together::new(move |keys: Vec<u32>| {
            seen.lock().unwrap().push(keys.len());
            async move {
                tokio::time::sleep(Duration::from_millis(10)).await;
                Ok(keys.into_iter().map(|key| key * 2).collect())
            }
        });
        let asking: Vec<_> = (0..100)
            .map(|key| {
                let doubled = doubled.clone();
                tokio::spawn(async move {
                    if key > 0 {
                        tokio::time::sleep(Duration::from_millis(1)).await;
                    }
                    doubled.ask(key).await
                })
            })
            .collect();
        for (key, asking) in (0..).zip(asking) {
            assert_eq!(
                asking.await.unwrap(),
                Ok(key * 2),
                "each has its own answer"
            );
        }
        assert_eq!(*sizes.lock().unwrap(), [1, 99]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_refused_is_refused_to_all_and_the_next_question_is_asked() {
        let asked = Arc::new(Mutex::new(0));
        let count = asked.clone();
        let moody = Together::new(move |keys: Vec<u32>| {
            *count.lock().unwrap() += 1;
            let away = *count.lock().unwrap() == 1;
            async move {
                if away {
                    Err(Refusal::Unavailable)
                } else {
                    Ok(keys)
                }
            }
        });
        assert_eq!(
            tokio::join!(moody.ask(1), moody.ask(2)),
            (Err(Refusal::Unavailable), Err(Refusal::Unavailable))
        );
        assert_eq!(moody.ask(3).await, Ok(3));
        assert_eq!(*asked.lock().unwrap(), 2);
    }

    #[tokio::test]
    async fn a_question_that_panics_is_refused_and_the_next_one_is_asked() {
        let halved = Together::new(async |keys: Vec<u32>| {
            assert!(!keys.contains(&7), "seven is odd");
            Ok(keys.into_iter().map(|key| key / 2).collect())
        });
        assert_eq!(halved.ask(7).await, Err(Refusal::Broken));
        assert_eq!(halved.ask(8).await, Ok(4));
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_is_asked_after_who_went_away_meanwhile() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let told = seen.clone();
        let slow = Together::new(move |keys: Vec<u32>| {
            told.lock().unwrap().extend(keys.clone());
            async move {
                tokio::time::sleep(Duration::from_secs(1)).await;
                Ok(keys)
            }
        });
        let first = tokio::spawn({
            let slow = slow.clone();
            async move { slow.ask(1).await }
        });
        tokio::time::sleep(Duration::from_millis(1)).await;
        let gone = tokio::time::timeout(Duration::from_millis(5), slow.ask(2)).await;
        assert!(gone.is_err());
        let third = slow.ask(3).await;
        assert_eq!((first.await.unwrap(), third), (Ok(1), Ok(3)));
        assert_eq!(*seen.lock().unwrap(), [1, 3]);
    }
}
