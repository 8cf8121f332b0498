// Starts the viewer of the API's description; the page names where that lies.

const place = document.getElementById("api-docs");

SwaggerUIBundle({
  url: place.dataset.openapi,
  domNode: place,
  deepLinking: true,
  persistAuthorization: false,
  displayRequestDuration: true,
  // The validator of the viewer's makers is a third party.
  validatorUrl: null,
});
