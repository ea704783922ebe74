//! Whole lists as files, written as they are read: neither the list nor the file is ever in memory.
//!
//! Each part is read by itself, behind the last row of the one before, so that a slow client holds no connection to
//! Postgres. A row that is changed meanwhile is in the file once, before or after the change.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::response::{IntoResponse, Response};
use futures::stream::try_unfold;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use serde::Serialize;

use super::csv;
use crate::error::Error;

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileForm {
    /// A line a row, behind a line of names ([RFC 4180](https://www.rfc-editor.org/rfc/rfc4180)).
    Csv,
    /// One JSON array.
    Json,
}

impl FileForm {
    /// The form that the parameter `export` names.
    ///
    /// # Errors
    /// There is no such form.
    pub fn read(text: &str) -> Result<Self, Error> {
        match text {
            "csv" => Ok(Self::Csv),
            "json" => Ok(Self::Json),
            _ => Err(Error::parameter("export", "must be csv or json")),
        }
    }

    const fn ending(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
        }
    }

    const fn content_type(self) -> &'static str {
        match self {
            Self::Csv => csv::CONTENT_TYPE_CSV_UTF8,
            Self::Json => "application/json",
        }
    }
}

/// A row of a file.
pub trait FileRow: Serialize + Send {
    /// Its values under these names.
    fn values(&self, columns: &[String]) -> Vec<String>;
}

/// A part of a list, and where the next one begins; `None`: this was the last.
pub type FilePart<Row, Place> = (Vec<Row>, Option<Place>);

/// A list as a file to be kept as `tidewatch-{name}`. The first part is read before anything is answered, so that what is
/// wrong with the question is an answer of its own; an error later breaks the file off, which HTTP makes known.
///
/// # Errors
/// What reading the first part failed with.
pub async fn stream<Row, Place, Reading>(
    name: &str,
    form: FileForm,
    columns: Vec<String>,
    first: Place,
    read: impl Fn(Place) -> Reading + Send + Sync + 'static,
) -> Result<Response, Error>
where
    Row: FileRow + 'static,
    Place: Send + 'static,
    Reading: Future<Output = Result<FilePart<Row, Place>, Error>> + Send + 'static,
{
    let disposition = format!("attachment; filename=\"tidewatch-{name}.{}\"", form.ending());
    let first = read(first).await?;
    let work = Arc::new((columns, read));
    let parts = try_unfold(Rest::First(first), move |rest| {
        let work = Arc::clone(&work);
        async move {
            let (columns, read) = &*work;
            let (begun, (rows, next)) = match rest {
                Rest::First(part) => (Begun::Not, part),
                Rest::From(place, begun) => (begun, read(place).await?),
                Rest::Nothing => return Ok(None),
            };
            let text = write(form, columns, &rows, begun, next.is_none())?;
            let begun = if begun == Begun::Rows || !rows.is_empty() { Begun::Rows } else { Begun::Head };
            let rest = next.map_or(Rest::Nothing, |place| Rest::From(place, begun));
            Ok::<_, Error>(Some((Bytes::from(text), rest)))
        }
    });
    let headers = [(CONTENT_TYPE, form.content_type().to_owned()), (CONTENT_DISPOSITION, disposition)];
    Ok((headers, Body::from_stream(parts)).into_response())
}

/// How much of a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Begun {
    Not,
    Head,
    Rows,
}

/// What is still to be written.
enum Rest<Row, Place> {
    First(FilePart<Row, Place>),
    From(Place, Begun),
    Nothing,
}

fn write<Row: FileRow>(
    form: FileForm,
    columns: &[String],
    rows: &[Row],
    begun: Begun,
    is_last: bool,
) -> Result<String, Error> {
    let mut text = String::new();
    if form == FileForm::Csv {
        if begun == Begun::Not {
            text.push_str(&csv::row(columns.iter().map(String::as_str)));
        }
        for row in rows {
            text.push_str(&csv::row(row.values(columns).iter().map(String::as_str)));
        }
        return Ok(text);
    }
    if begun == Begun::Not {
        text.push('[');
    }
    for (index, row) in rows.iter().enumerate() {
        text.push_str(if begun == Begun::Rows || index > 0 { ",\n" } else { "\n" });
        text.push_str(&serde_json::to_string(row)?);
    }
    if is_last {
        text.push_str("\n]\n");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Number(u8);

    impl FileRow for Number {
        fn values(&self, columns: &[String]) -> Vec<String> {
            columns.iter().map(|_| self.0.to_string()).collect()
        }
    }

    async fn file(form: FileForm, parts: &'static [&'static [u8]]) -> String {
        let columns = vec!["n".to_owned()];
        let read = move |place: usize| async move {
            let rows = parts[place].iter().copied().map(Number).collect();
            Ok((rows, (place + 1 < parts.len()).then_some(place + 1)))
        };
        let answer = stream("numbers", form, columns, 0, read).await.expect("a file");
        let bytes = axum::body::to_bytes(answer.into_body(), 1_000).await.expect("a body");
        String::from_utf8(bytes.to_vec()).expect("text")
    }

    #[tokio::test]
    async fn parts_make_one_file_whichever_have_rows() {
        for parts in
            [&[&[1_u8, 2][..], &[3], &[]][..], &[&[], &[1, 2, 3]], &[&[1], &[], &[2, 3]], &[&[1, 2, 3]]]
        {
            let parts: &'static [&'static [u8]] = parts.to_vec().leak();
            assert_eq!(file(FileForm::Csv, parts).await, "n\r\n1\r\n2\r\n3\r\n");
            assert_eq!(file(FileForm::Json, parts).await, "[\n1,\n2,\n3\n]\n");
        }
        assert_eq!(file(FileForm::Json, &[&[]]).await, "[\n]\n");
    }

    #[tokio::test]
    async fn a_first_part_that_fails_is_an_answer_of_its_own() {
        let read = |(): ()| async { Err::<FilePart<Number, ()>, _>(Error::parameter("q", "will not do")) };
        assert!(stream("numbers", FileForm::Json, Vec::new(), (), read).await.is_err());
    }
}
