//! One thing that can be said.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{Notify, watch};

/// One thing that can be said: that something of a kind is there to be looked at. Cheap to clone. Made by
/// [`crate::Exchange::hint`].
#[derive(Debug, Clone)]
pub struct Hint(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    channel: &'static str,
    payload: &'static str,
    here: watch::Sender<()>,
    /// It is to be told to other processes.
    outbound: AtomicBool,
    /// Wakes who tells them.
    teller: Arc<Notify>,
}

impl Hint {
    pub(crate) fn new(channel: &'static str, payload: &'static str, teller: Arc<Notify>) -> Self {
        let (here, outbound) = (watch::Sender::default(), AtomicBool::default());
        Self(Arc::new(Inner { channel, payload, here, outbound, teller }))
    }

    /// Says it to everybody in this process, and to all others soon. Returns at once.
    pub fn say(&self) {
        self.say_here();
        self.0.outbound.store(true, Ordering::Release);
        self.0.teller.notify_one();
    }

    /// Says it in this process alone.
    pub fn say_here(&self) {
        self.0.here.send_replace(());
    }

    /// What hears it from now on.
    #[must_use]
    pub fn subscribe(&self) -> Heard {
        Heard(self.0.here.subscribe())
    }

    pub(crate) fn channel(&self) -> &'static str {
        self.0.channel
    }

    pub(crate) fn payload(&self) -> &'static str {
        self.0.payload
    }

    /// Whether it was said since this was asked last.
    pub(crate) fn take_outbound(&self) -> bool {
        self.0.outbound.swap(false, Ordering::AcqRel)
    }
}

/// Hears one hint. Said many times between two waits, it is heard once.
#[derive(Debug)]
pub struct Heard(watch::Receiver<()>);

impl Heard {
    /// Waits until it was said since the last wait. When nobody is left who could say it, for ever.
    pub async fn wait(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hint() -> Hint {
        Hint::new("channel", "", Arc::default())
    }

    #[tokio::test]
    async fn what_is_said_before_the_wait_is_heard_once() {
        let hint = hint();
        let (mut one, mut two) = (hint.subscribe(), hint.subscribe());
        hint.say();
        hint.say();
        one.wait().await;
        two.wait().await;
        assert!(!one.0.has_changed().expect("the hint is there"));
    }

    #[test]
    fn only_what_is_for_others_is_told_to_them() {
        let hint = hint();
        hint.say_here();
        assert!(!hint.take_outbound());
        hint.say();
        assert!(hint.take_outbound());
        assert!(!hint.take_outbound());
    }
}
