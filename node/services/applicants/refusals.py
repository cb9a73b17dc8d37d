"""Refusals of imports and exports: what is wrong with a file, and what to do about it."""

from node.refusals import Refusal


class FileRefused(Refusal, code="import-refused", status=422):
    """This file cannot be imported. Nothing has been changed."""


class FileEmpty(FileRefused, code="import-file-empty"):
    """The file is empty, or has a header and no rows. Nothing has been changed."""


class FileTooLarge(FileRefused, code="import-file-too-large", status=413):
    """The file is larger than 64 MB. Split it into several files; nothing has been changed."""


class FileIsNoText(FileRefused, code="import-file-is-no-text"):
    """This is neither a table in text (CSV, TSV) nor an Excel workbook (.xlsx), whatever it is
    called. Choose the file with the applicants."""


class WorkbookUnreadable(FileRefused, code="import-workbook-unreadable"):
    """This Excel workbook is damaged, or it is no .xlsx. Open it in Excel, save it as .xlsx or
    CSV, and choose that file; nothing has been changed."""


class WorkbookTooLarge(FileRefused, code="import-workbook-too-large"):
    """This Excel workbook unpacks to more than can be read. Leave only the rows and columns with
    applicants in it, or save it as CSV; nothing has been changed."""


class WorkbookHasMacros(FileRefused, code="import-workbook-macros"):
    """This Excel workbook holds macros (.xlsm). Save it as .xlsx or CSV, without macros, and choose
    that file; nothing has been changed."""


class WorkbookEncrypted(FileRefused, code="import-workbook-encrypted"):
    """This Excel workbook is protected by a password. Take the password off and save it again;
    nothing has been changed."""


class WorkbookOld(FileRefused, code="import-workbook-old"):
    """This is an old Excel workbook (.xls). Open it in Excel, save it as .xlsx or CSV, and choose
    that file; nothing has been changed."""


class WorkbookHidden(FileRefused, code="import-workbook-hidden"):
    """Every sheet of this Excel workbook is hidden. Show the one with the applicants and save it
    again; nothing has been changed."""


class EncodingUnknown(FileRefused, code="import-encoding-unknown"):
    """The file is neither UTF-8 nor Shift_JIS (CP932). Save it again as CSV UTF-8, or choose its
    encoding yourself."""


class TooManyRows(FileRefused, code="import-too-many-rows"):
    """The file has more than 100,000 rows. Split it into several files; nothing has been
    changed."""


class TooManyColumns(FileRefused, code="import-too-many-columns"):
    """The file has more than 200 columns. Leave out those that are not needed."""


class LineTooLong(FileRefused, code="import-line-too-long"):
    """A row of the file is longer than 64,000 characters. Often a quotation mark is missing."""


class QuoteUnclosed(FileRefused, code="import-quote-unclosed"):
    """A quotation mark is opened and never closed, so that the rows after it cannot be told
    apart. Close it and choose the file again."""


class ColumnsMissing(FileRefused, code="import-columns-missing"):
    """A column is missing without which nobody can be imported. Choose it, or add it to the
    file."""


class ColumnsRepeated(FileRefused, code="import-columns-repeated"):
    """Two columns were given the same meaning. Choose one of them."""


class RowsBroken(FileRefused, code="import-rows-broken"):
    """Some rows cannot be read, so nothing has been imported. Correct them, or say that the
    other rows are to be imported without them."""


class ImportElsewhere(Refusal, code="import-elsewhere"):
    """This import has already been carried out, or is being carried out now."""


class UploadGone(Refusal, code="import-upload-gone", status=410):
    """The uploaded file has been deleted. Choose it again."""


class TooManyChosen(Refusal, code="applicants-too-many-chosen", status=422):
    """More than 3,000 applicants are chosen. Choose fewer, or filter the list."""
