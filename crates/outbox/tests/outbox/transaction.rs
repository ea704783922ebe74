//! Transactions that are begun for somebody who is dropped meanwhile.

use std::time::Duration;

use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tidewatch_outbox::begin_whole;

#[sqlx::test(migrations = "../../migrations")]
async fn whoever_is_dropped_while_they_begin_leaves_nothing_begun(pool: PgPool) {
    // One connection: whoever comes next is given the one that was left.
    let options = pool.connect_options().as_ref().clone();
    let one = PgPoolOptions::new().max_connections(1).connect_lazy_with(options);
    for n in 0..300 {
        // Dropped at the first wait, or somewhere behind it.
        let begun = begin_whole(&one, "begin read only");
        drop(tokio::time::timeout(Duration::from_micros(n * 3), begun).await);
        // In the transaction that began before, nothing can be written.
        let clean: bool = sqlx::query_scalar("select not current_setting('transaction_read_only')::boolean")
            .fetch_one(&one)
            .await
            .expect("a look");
        assert!(clean, "after {n}");
    }
}
