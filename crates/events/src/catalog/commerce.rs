//! Payments, invoices, orders and balances.

use super::catalog;
use crate::id::{BalanceId, InvoiceId, OrderId, OrganizationId, PaymentId};
use crate::money::Currency;

catalog! {
    /// A payment was begun.
    "payment.created" on PAYMENT for PAYMENTS_READ => PaymentCreated {
        /// Which payment.
        payment_id: PaymentId,
        /// The order that it pays.
        #[serde(skip_serializing_if = "Option::is_none")]
        order_id: Option<OrderId>,
        /// The amount in minor units of `currency`.
        amount_minor: i64,
        /// ISO 4217.
        currency: Currency,
    }
    /// A payment's status changed.
    "payment.status_changed" on PAYMENT for PAYMENTS_READ => PaymentStatusChanged {
        /// Which payment.
        payment_id: PaymentId,
        /// The status before.
        from_status: String,
        /// The status after.
        to_status: String,
    }
    /// The money of a payment came in.
    "payment.received" on PAYMENT for PAYMENTS_READ => PaymentReceived {
        /// Which payment.
        payment_id: PaymentId,
        /// The amount in minor units of `currency`.
        amount_minor: i64,
        /// ISO 4217.
        currency: Currency,
    }
    /// A payment was given back, wholly or in part.
    "payment.refunded" on PAYMENT for PAYMENTS_READ => PaymentRefunded {
        /// Which payment.
        payment_id: PaymentId,
        /// What was given back, in minor units of `currency`.
        refund_amount: i64,
        /// ISO 4217.
        currency: Currency,
    }
    /// An invoice was written.
    "invoice.created" on INVOICE for PAYMENTS_READ => InvoiceCreated {
        /// Which invoice.
        invoice_id: InvoiceId,
        /// Who pays it.
        #[serde(skip_serializing_if = "Option::is_none")]
        organization_id: Option<OrganizationId>,
        /// The amount in minor units of `currency`.
        amount_minor: i64,
        /// ISO 4217.
        currency: Currency,
    }
    /// An order was placed.
    "order.created" on ORDER for ORDERS_READ => OrderCreated {
        /// Which order.
        order_id: OrderId,
        /// The customer's own reference.
        reference: String,
        /// The total in minor units of `currency`.
        total_minor: i64,
        /// ISO 4217.
        currency: Currency,
    }
    /// An order's status changed.
    "order.status_changed" on ORDER for ORDERS_READ => OrderStatusChanged {
        /// Which order.
        order_id: OrderId,
        /// The status before.
        from_status: String,
        /// The status after.
        to_status: String,
    }
    /// A balance moved.
    "balance.updated" on BALANCE for BALANCES_READ => BalanceUpdated {
        /// Which balance.
        balance_id: BalanceId,
        /// What was added, in minor units of `currency`; negative when taken away.
        delta_minor: i64,
        /// The balance afterwards.
        balance_minor: i64,
        /// ISO 4217.
        currency: Currency,
    }
    /// Something about it changed beside its status.
    "payment.updated" on PAYMENT for PAYMENTS_READ => PaymentUpdated {
        /// Which payment.
        payment_id: PaymentId,
        /// The names of the fields that changed.
        changed: Vec<String>,
    }
    /// Something about it changed beside its status.
    "order.updated" on ORDER for ORDERS_READ => OrderUpdated {
        /// Which order.
        order_id: OrderId,
        /// The names of the fields that changed.
        changed: Vec<String>,
    }
    /// Something about it changed beside its status.
    "invoice.updated" on INVOICE for PAYMENTS_READ => InvoiceUpdated {
        /// Which invoice.
        invoice_id: InvoiceId,
        /// The names of the fields that changed.
        changed: Vec<String>,
    }
    /// An invoice's status changed.
    "invoice.status_changed" on INVOICE for PAYMENTS_READ => InvoiceStatusChanged {
        /// Which invoice.
        invoice_id: InvoiceId,
        /// The status before.
        from_status: String,
        /// The status after.
        to_status: String,
    }
}
