// Response transformer of the same destination: what becomes of the message, by what the gateway has answered.
//
//   SENT     it is stated on the FHIR server, and acknowledged
//   ERROR    it was refused, or is not in a form that can be read: sending it again changes nothing
//   QUEUED   everything else: not done yet, too much at once, the server is down, or the way there is. The same
//            message once more is the same unit, and does no harm.
//
// Its data types are Raw, so that it runs whatever the answer is, and also where there was none.

var deidfhirLine = connectorMap.get('responseStatusLine');
var deidfhirStatus = deidfhirLine == null ? 0 : parseInt(String(deidfhirLine).split(' ')[1], 10);

// 400 and 415: no DICOM JSON; 413: too large; 422: refused; 500: the gateway failed at just this message.
var deidfhirFinal = {400: true, 413: true, 415: true, 422: true, 500: true};

function deidfhirCodes(text) {
    var codes = [];
    try {
        var issues = JSON.parse(String(text)).issue;
        for (var i = 0; i < issues.length; i++) {
            codes.push(issues[i].details.coding[0].code);
        }
    } catch (error) {
        // another answer than an OperationOutcome: its status tells enough
    }
    return codes.join(', ');
}

if (deidfhirStatus === 200) {
    responseStatus = SENT;
    responseStatusMessage = 'stated';
} else if (deidfhirFinal[deidfhirStatus]) {
    responseStatus = ERROR;
    responseStatusMessage = 'deidfhir: HTTP ' + deidfhirStatus + ' ' + deidfhirCodes(msg);
} else {
    responseStatus = QUEUED;
    responseStatusMessage = 'deidfhir: HTTP ' + deidfhirStatus + ' ' + deidfhirCodes(msg) + '; tried again';
}
