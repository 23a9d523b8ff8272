//! The inventory of a run, written while tasks go on: by compare-and-swap, with patience, and added to another's when another
//! run got in between.

use std::time::Duration;

use futures::channel::mpsc::UnboundedReceiver;
use futures::future::{BoxFuture, Either, select};
use futures::pin_mut;
use futures::stream::{FuturesUnordered, StreamExt};

use super::{Ended, Engine};
use crate::carry_out::Signal;
use crate::event::Event;
use crate::inventory::{InventoryError, Version};

/// How long the inventory may be out of reach before nothing more is begun.
const INVENTORY_PATIENCE: Duration = Duration::from_mins(5);

/// How often the other run's inventory may move on while ours is added to it.
const HAND_OVERS: u32 = 20;

impl<'a> Engine<'a> {
    /// Writes the inventory, while running tasks go on. False when nothing more may be begun.
    pub(super) async fn save(
        &mut self,
        running: &mut FuturesUnordered<BoxFuture<'a, Ended>>,
        signals: &mut UnboundedReceiver<Signal>,
    ) -> bool {
        let since = self.run.world.clock.now();
        let mut pause = Duration::from_secs(1);
        let mut ended = Vec::new();
        let written = loop {
            let attempt = self.ledger.write(self.run.store);
            let result = alongside(attempt, running, &mut ended).await;
            match result {
                Ok(version) => {
                    self.ledger.written(version);
                    break true;
                }
                Err(InventoryError::Unreachable(message))
                    if self.run.world.clock.now().saturating_sub(since) < INVENTORY_PATIENCE
                        && !self.run.interruption.requested() =>
                {
                    self.run.listener.hear(&Event::InventoryUnreachable { message, pause });
                    alongside(self.run.world.clock.sleep(pause), running, &mut ended).await;
                    pause = (pause * 2).min(Duration::from_secs(30));
                }
                Err(InventoryError::Conflict)
                    if let Some(version) =
                        alongside(self.own_write(), running, &mut ended).await =>
                {
                    self.ledger.written(version);
                    break true;
                }
                Err(error) => {
                    self.conflict |= matches!(error, InventoryError::Conflict);
                    self.stop(error.to_string());
                    break false;
                }
            }
        };
        for one in ended {
            self.ended(one, signals);
        }
        written
    }

    /// A write whose answer was lost looks like another run's: what is stored is what was to be written. Gives its version.
    async fn own_write(&self) -> Option<Option<Version>> {
        let stored = self.run.store.load().await.ok()?;
        self.ledger
            .is_written_as(stored.as_ref().map(|(inventory, _)| inventory))
            .then(|| stored.map(|(_, version)| version))
    }

    /// Another run is at work on the stack: it, or the next, must know what this one made.
    pub(super) async fn hand_over(&mut self) {
        let since = self.run.world.clock.now();
        let mut pause = Duration::from_secs(1);
        for _ in 0..HAND_OVERS {
            let handed = match self.run.store.load().await {
                Ok(others) => {
                    if !self.ledger.yield_to(others) {
                        return;
                    }
                    let written = self.ledger.write(self.run.store).await;
                    written.map(|version| self.ledger.written(version))
                }
                Err(error) => Err(error),
            };
            match handed {
                Err(InventoryError::Conflict) => {}
                Err(InventoryError::Unreachable(message))
                    if self.run.world.clock.now().saturating_sub(since) < INVENTORY_PATIENCE =>
                {
                    self.run.listener.hear(&Event::InventoryUnreachable { message, pause });
                    self.run.world.clock.sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_secs(30));
                }
                Ok(()) | Err(_) => return,
            }
        }
    }
}

/// Waits for something while running tasks go on; those that end are kept.
async fn alongside<T>(
    future: impl Future<Output = T>,
    running: &mut FuturesUnordered<BoxFuture<'_, Ended>>,
    ended: &mut Vec<Ended>,
) -> T {
    pin_mut!(future);
    while !running.is_empty() {
        match select(future.as_mut(), running.next()).await {
            Either::Left((result, _)) => return result,
            Either::Right((one, _)) => ended.extend(one),
        }
    }
    future.await
}
