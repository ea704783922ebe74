//! Follows orders, a private channel among them, and goes on where the last run ended.
//!
//! ```sh
//! TIDEWATCH_URL=http://127.0.0.1:3000 TIDEWATCH_API_KEY=tw_… \
//!   cargo run -p tidewatch-client --example subscribe [PLACE]
//! ```

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;

use futures::StreamExt;
use tidewatch_client::events::ResumePoint;
use tidewatch_client::{Notice, Publisher, State, Subscriber};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let place = std::env::args().nth(1).map_or(Ok(ResumePoint::Latest), |text| text.parse())?;
    let publisher = Publisher::from_env()?;
    let mut stream = Subscriber::from_env()?
        .types(["order.*"])
        .channels(["orders"])
        .private_channel_signed_by("back-office", &publisher)
        .after(place)
        .build()?;

    loop {
        let notice = tokio::select! {
            notice = stream.next() => notice,
            _ = tokio::signal::ctrl_c() => break,
        };
        match notice {
            Some(Notice::Event(event)) => {
                println!("{} {} {}", event.position, event.event_type, event.payload)
            }
            Some(Notice::Gap(gap)) => println!("read the orders anew; events behind {} follow", gap.behind),
            Some(Notice::State(State::Reconnecting { wait, loss })) => {
                println!("{loss}; again in {:.1} s", wait.as_secs_f64());
            }
            Some(Notice::GaveUp(error)) => return Err(error.into()),
            Some(_) => {}
            None => break,
        }
    }
    // Kept, this is the argument of the next run.
    println!("go on with {}", stream.place());
    Ok(())
}
