//! Incidents, servers, automations, logs and tickets.

use super::catalog;
use crate::id::{AutomationId, IncidentId, InvoiceId, LogId, OrganizationId, ServerId, TicketId};
use crate::money::Currency;

catalog! {
    /// An incident was opened.
    "incident.created" on INCIDENT for INCIDENTS_READ => IncidentCreated {
        /// Which incident.
        incident_id: IncidentId,
        /// What is wrong, in a line.
        title: String,
        /// How bad it is: `low`, `medium`, `high` or `critical`.
        severity: String,
    }
    /// Something about an incident changed beside its status.
    "incident.updated" on INCIDENT for INCIDENTS_READ => IncidentUpdated {
        /// Which incident.
        incident_id: IncidentId,
        /// The names of the fields that changed.
        changed: Vec<String>,
    }
    /// An incident's status changed.
    "incident.status_changed" on INCIDENT for INCIDENTS_READ => IncidentStatusChanged {
        /// Which incident.
        incident_id: IncidentId,
        /// The status before.
        from_status: String,
        /// The status after.
        to_status: String,
    }
    /// A server is watched from now on.
    "server.created" on SERVER for SERVERS_READ => ServerCreated {
        /// Which server.
        server_id: ServerId,
        /// What it is called.
        name: String,
    }
    /// Something about a server changed beside its status.
    "server.updated" on SERVER for SERVERS_READ => ServerUpdated {
        /// Which server.
        server_id: ServerId,
        /// The names of the fields that changed.
        changed: Vec<String>,
    }
    /// A check of a server came to another result.
    "server.status_changed" on SERVER for SERVERS_READ => ServerStatusChanged {
        /// Which server.
        server_id: ServerId,
        /// The status before.
        from_status: String,
        /// The status after.
        to_status: String,
    }
    /// An automation began to run.
    "automation.started" on AUTOMATION for AUTOMATIONS_READ => AutomationStarted {
        /// Which run.
        automation_id: AutomationId,
        /// What it is called.
        name: String,
    }
    /// An automation came to its end.
    "automation.completed" on AUTOMATION for AUTOMATIONS_READ => AutomationCompleted {
        /// Which run.
        automation_id: AutomationId,
        /// How long it took, in milliseconds.
        duration_ms: u64,
    }
    /// An automation failed.
    "automation.failed" on AUTOMATION for AUTOMATIONS_READ => AutomationFailed {
        /// Which run.
        automation_id: AutomationId,
        /// What went wrong.
        error: String,
    }
    /// A log entry was written.
    "log.added" on LOG for LOGS_READ => LogAdded {
        /// Which entry.
        log_id: LogId,
        /// `debug`, `info`, `warn` or `error`.
        level: String,
        /// What it says.
        message: String,
    }
    /// A ticket was opened.
    "ticket.created" on TICKET for TICKETS_READ => TicketCreated {
        /// Which ticket.
        ticket_id: TicketId,
        /// What it is about, in a line.
        title: String,
    }
    /// Something about a ticket changed.
    "ticket.updated" on TICKET for TICKETS_READ => TicketUpdated {
        /// Which ticket.
        ticket_id: TicketId,
        /// The names of the fields that changed.
        changed: Vec<String>,
    }
    /// A contractor named a price.
    "ticket.quoted" on TICKET for TICKETS_READ => TicketQuoted {
        /// Which ticket.
        ticket_id: TicketId,
        /// Whose price it is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        contractor_id: Option<OrganizationId>,
        /// The price in minor units of `currency`.
        amount_minor: i64,
        /// ISO 4217.
        currency: Currency,
    }
    /// A quote was approved.
    "ticket.approved" on TICKET for TICKETS_READ => TicketApproved {
        /// Which ticket.
        ticket_id: TicketId,
        /// The invoice that followed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        invoice_id: Option<InvoiceId>,
    }
    /// An automation came a step further.
    "automation.progressed" on AUTOMATION for AUTOMATIONS_READ => AutomationProgressed {
        /// Which run.
        automation_id: AutomationId,
        /// Steps done.
        done: u64,
        /// Steps in all; 0: nobody knows.
        total: u64,
    }
    /// Something about it changed beside its status.
    "automation.updated" on AUTOMATION for AUTOMATIONS_READ => AutomationUpdated {
        /// Which automation.
        automation_id: AutomationId,
        /// The names of the fields that changed.
        changed: Vec<String>,
    }
    /// A ticket's status changed.
    "ticket.status_changed" on TICKET for TICKETS_READ => TicketStatusChanged {
        /// Which ticket.
        ticket_id: TicketId,
        /// The status before.
        from_status: String,
        /// The status after.
        to_status: String,
    }
}
