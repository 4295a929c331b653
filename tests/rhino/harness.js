// What Mirth's engine does around the scripts of one destination, for Rhino's shell:
//     rhino harness.js TRANSFORMER RESPONSE URL CONTENT_TYPE MESSAGE...
// Each MESSAGE is a file of XML, as the data type DICOM makes it. One line of JSON is printed for each.

var SENT = 'SENT', ERROR = 'ERROR', QUEUED = 'QUEUED';
var channelMap, connectorMap, msg, responseStatus, responseStatusMessage;
var transform = arguments[0], respond = arguments[1], url = arguments[2], contentType = arguments[3];

function post(text) {
    var connection = new java.net.URL(url).openConnection();
    connection.setRequestMethod('POST');
    connection.setDoOutput(true);
    connection.setRequestProperty('Content-Type', contentType + '; charset=UTF-8');
    connection.getOutputStream().write(new java.lang.String(text).getBytes('UTF-8'));
    var status = connection.getResponseCode();
    connectorMap.put('responseStatusLine', connection.getHeaderField(0));
    var stream = status < 400 ? connection.getInputStream() : connection.getErrorStream();
    if (stream === null) {
        return '';
    }
    var scanner = new java.util.Scanner(stream, 'UTF-8').useDelimiter('\\A');
    return scanner.hasNext() ? String(scanner.next()) : '';
}

for (var i = 4; i < arguments.length; i++) {
    channelMap = new java.util.HashMap();
    connectorMap = new java.util.HashMap();
    msg = new XML(readFile(arguments[i], 'UTF-8'));
    load(transform);
    var sent = String(channelMap.get('deidfhirObject'));
    responseStatus = QUEUED;
    responseStatusMessage = null;
    try {
        msg = post(sent);
    } catch (error) {
        msg = '';
    }
    load(respond);
    print(JSON.stringify({sent: sent, status: String(responseStatus), message: String(responseStatusMessage)}));
}
