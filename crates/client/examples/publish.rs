//! Publishes an event, another one with all that can be said of it, and many at once.
//!
//! ```sh
//! TIDEWATCH_URL=http://127.0.0.1:3000 TIDEWATCH_API_KEY=tw_… cargo run -p tidewatch-client --example publish
//! ```

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;

use serde_json::json;
use tidewatch_client::Publisher;
use tidewatch_client::events::{Permission, Priority, SubjectRef};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let publisher = Publisher::from_env()?;
    let orders = publisher.channel("orders");

    // The least: a channel and a payload.
    let first = orders.publish(json!({ "reference": "A-1001" })).await?;

    // The key is the order's own: run twice, this publishes once.
    let created = orders
        .event("order.created", json!({ "reference": "A-1002", "totalMinor": 4_990 }))
        .aggregate("Order", "A-1002")
        .permissions([Permission::ORDERS_READ])
        .audience([SubjectRef::staff()])
        .priority(Priority::High)
        .causation(first)
        .idempotency_key("order-A-1002-created")
        .send()
        .await?;

    // Many at once. What fails half way says with which key to go on.
    let lines = (1..=2_500).map(|line| orders.message(json!({ "line": line })).into_message());
    let ids = publisher.publish_all(lines.collect::<Result<_, _>>()?).await?;

    println!("published {first}, {created} and {} more", ids.len());
    Ok(())
}
