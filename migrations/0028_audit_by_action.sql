-- The audit log is narrowed by an action, or by a word that actions begin with (`role.`): by bytes, so that the index has
-- the order of both.
alter table audit_entries alter column action type text collate "C";
create index audit_entries_by_action on audit_entries (project_id, action, at desc, id desc);
