//! Pages of a list: one row more than a page is read, and tells whether another page follows.

/// Cuts `rows`, of which at most `limit + 1` were read, to a page, and gives the cursor of the following one;
/// `None`: there is none.
pub fn cut_page<Row, Cursor>(
    rows: &mut Vec<Row>,
    limit: u32,
    cursor_of: impl FnOnce(&Row) -> Cursor,
) -> Option<Cursor> {
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    rows.last().filter(|_| more).map(cursor_of)
}

#[cfg(test)]
mod tests {
    use super::cut_page;

    #[test]
    fn a_row_too_many_is_cut_and_tells_of_a_following_page() {
        let mut rows = vec![5, 4, 3];
        assert_eq!(cut_page(&mut rows, 2, |last| *last), Some(4));
        assert_eq!(rows, [5, 4]);
    }

    #[test]
    fn the_last_page_has_no_following_one() {
        for mut rows in [vec![5, 4], vec![5], vec![]] {
            assert_eq!(cut_page(&mut rows, 2, |last: &i32| *last), None);
        }
    }
}
