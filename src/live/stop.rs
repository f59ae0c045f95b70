use std::sync::Arc;

use tokio::sync::watch;

/// Asks a run to begin nothing new. Clones ask for the same stop.
#[derive(Debug, Clone)]
pub struct StopSwitch(Arc<watch::Sender<bool>>);

/// What a run looks at to learn whether it was asked to stop.
#[derive(Debug, Clone)]
pub struct Stop {
    asked: watch::Receiver<bool>,
    // Keeps the channel open, so that `asked` can be waited on for as long as the run lasts.
    _switch: StopSwitch,
}

impl StopSwitch {
    /// A switch that nobody has pressed yet.
    pub fn new() -> Self {
        StopSwitch(Arc::new(watch::Sender::new(false)))
    }

    /// Asks for the stop; pressing again changes nothing.
    pub fn press(&self) {
        self.0.send_replace(true);
    }

    /// A view of this switch, to hand to what shall stop.
    pub fn stop(&self) -> Stop {
        Stop { asked: self.0.subscribe(), _switch: self.clone() }
    }
}

impl Default for StopSwitch {
    fn default() -> Self {
        Self::new()
    }
}

impl Stop {
    /// A stop that is never asked for.
    pub fn never() -> Self {
        StopSwitch::new().stop()
    }

    /// Whether the stop was asked for.
    pub fn is_asked(&self) -> bool {
        *self.asked.borrow()
    }

    /// Waits until the stop is asked for.
    pub async fn asked(&self) {
        let mut asked = self.asked.clone();
        // Fails only when every switch is gone, and this value holds one.
        let _ = asked.wait_for(|asked| *asked).await;
    }
}
