-- What of a person's waits to be mailed, by itself or in a digest: by the link of an e-mail it is turned off, and no index
-- had it without asking what was read or put away. Every receipt of everybody was read for it.
create index notification_receipts_to_mail on notification_receipts (project_id, user_id)
    where email <> 'off' and emailed_at is null;
