//! Ctrl-C and SIGTERM: the first asks the run to end, the second ends the process (reliability.md, B.4.5).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::Notify;
use zonestack_core::run_options::Interruption;

use crate::exit::Exit;

/// Hears the signals of the process.
#[derive(Debug, Clone, Default)]
pub(crate) struct Signals {
    asked: Arc<AtomicBool>,
    notify: Arc<Notify>,
}

impl Signals {
    /// Listens from now on.
    pub(crate) fn listen() -> Self {
        let signals = Self::default();
        let heard = signals.clone();
        tokio::spawn(async move {
            next().await;
            heard.asked.store(true, Ordering::SeqCst);
            heard.notify.notify_waiters();
            crate::report::note(
                "interrupted: beginning nothing new, letting calls in flight end; once more to end at once",
            );
            next().await;
            std::process::exit(i32::from(Exit::Interrupted.code()));
        });
        signals
    }
}

async fn next() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

impl Interruption for Signals {
    fn requested(&self) -> bool {
        self.asked.load(Ordering::SeqCst)
    }

    fn wait(&self) -> BoxFuture<'_, ()> {
        async {
            let notified = self.notify.notified();
            if !self.requested() {
                notified.await;
            }
        }
        .boxed()
    }
}
