alter table visits add column room text check (char_length(room) between 1 and 200);
