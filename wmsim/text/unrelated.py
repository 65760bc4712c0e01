"""What is no event: sentences from which the understanding of text learns to say that it has not understood.

Many are near to an event on purpose: refusals of one, questions about it, figures of speech, other weather, other
traffic, and what a driver tells a car. They are written like `wmsim.text.captions`.
"""

from __future__ import annotations

from wmsim.text.captions import parted

REFUSED: tuple[str, ...] = parted("""
    don't make it night / do not make it night / don't let it get dark / please not at night / I don't want night
    never make it dark / no night please / I would rather not drive in the dark / keep it from getting dark
    it must not become night / not night / don't make it dusk / no sunset please / don't let the sun set
    I don't want evening / not twilight / avoid the sunset / do not let the sun go down / don't make it foggy
    don't add fog / I don't want fog / never any mist / please do not bring fog / not foggy / I'd hate fog
    don't make it rain / do not let it rain / I don't want it to rain / don't start the rain / I hate rain
    never let it rain / not rain / please don't let it pour / I'd rather not have rain / it should not rain
    don't make it sunny / no sunshine please / I don't want clear weather / don't clear the sky / keep the sun away
    not sunny / do not stop the rain / don't lift the fog / never bring the sun back / don't let a car cut in
    no car should cut in / I don't want anyone to cut me off / do not cut me off / nobody cuts in
    keep other cars out of my lane / no cut-ins please / don't let anyone change lanes in front of me
    nobody may pull in ahead / avoid cars cutting in / never cut me up / no pedestrians please / don't let anybody cross
    I don't want a pedestrian to cross / do not put people on the road / nobody crosses the street
    keep pedestrians off the road / no one walks across / avoid pedestrians / without pedestrians
    don't let a child run out / no road works please / don't put roadworks there / I don't want construction
    remove the cones / no construction ahead / take the roadworks away / avoid the construction site
    do not close my lane / open the lane again / clear away the barriers / without roadworks / no cones
    stop the construction / I hate roadworks / don't dig up the road
    """)
"""Events that are not wanted, where nothing that is an event follows from it."""

ASKED: tuple[str, ...] = parted("""
    is it raining? / will it rain tomorrow? / does it rain a lot here? / why is it raining? / was it raining yesterday?
    what is rain made of? / how much rain fell last week? / is it foggy? / what causes fog? / when does the fog lift?
    why is it so foggy in November? / how far can you see in fog? / is it night already? / when does night fall?
    what time is sunset? / when does the sun set? / how long does dusk last? / what time is it? / is it day or night?
    is it sunny in Spain? / what is the weather like? / what's the forecast? / how is the weather?
    who forecasts the weather? / how warm is it? / is the sky blue? / why is the sky blue? / did a car just cut in?
    why do people cut in? / who cut me off? / is cutting in illegal? / was that a pedestrian?
    do pedestrians have right of way? / where do pedestrians cross? / how many people crossed the road?
    why did the chicken cross the road? / when will the roadworks be finished? / are there roadworks on the motorway?
    who pays for road construction? / how are roads built? / did you see those cones? / how do traffic cones work?
    what is a diversion? / how fast am I going? / where am I? / how far is it? / are we there yet? / which way is north?
    who are you? / what can you do? / what events are there? / can you hear me? / what is this? / how does this work?
    is anybody there? / why did the drive end? / what is my score? / how do I steer? / who made this world?
    """)
"""Questions that want an answer, not an event."""

DRIVING: tuple[str, ...] = parted("""
    turn left / turn right / go straight on / go faster / speed up / slow down / brake / stop / stop the car
    accelerate / drive on / keep going / reverse / back up / park here / park the car / pull over / make a U-turn
    change lanes / move to the left lane / overtake that car / overtake the lorry / pass the bus / follow that car
    follow the road / keep your distance / stay in lane / keep right / keep left / take the next exit
    take the second turning / honk / sound the horn / signal left / indicate right / turn on the headlights / high beam
    dip the lights / hazard lights / open the window / close the door / turn on the heating / turn up the radio
    play some music / turn off the air conditioning / fasten your seat belt / check the mirrors
    check the tyre pressure / fill up the tank / charge the battery / start the engine / cut the engine / change gear
    first gear / handbrake / steer towards the kerb / cruise control at fifty / thirty miles an hour / navigate home
    drive me to the airport / take me to work / find a parking space / give way / yield to traffic / mind the gap
    watch out / be careful / drive carefully / drive like a maniac / emergency stop / easy on the pedal
    put your foot down / I cut in front of him / merge into traffic / I want to change lanes / squeeze through the gap
    cut the corner / cross the bridge / cross the junction / cross the line / drive across the square
    cross the border into France / the road ahead is long / the road is straight / the road bends
    the traffic light is red / the light turns green / wait for green / stop at the stop sign
    there is a junction ahead / a roundabout ahead / the speed limit is fifty
    """)
"""What a driver tells a car, and what stands on signs."""

SCENES: tuple[str, ...] = parted("""
    snow / make it snow / let it snow / it is snowing / a blizzard / hail / a hailstorm / ice on the road / black ice
    frost / wind / make it windy / a strong gust of wind / a hurricane / a tornado / lightning strikes / an earthquake
    a volcano erupts / a flood / a landslide / a sandstorm / a heat wave / make it colder / make it warmer / winter
    spring / autumn leaves fall / a rainbow / northern lights / a full moon party / an eclipse of the sun / a comet
    fireworks / aliens land / a dragon appears / dawn / sunrise / the sun rises / early in the morning / a cock crows
    breakfast time / a traffic jam / heavy traffic / an accident / a car crash / a car breaks down / a car is parked
    a parked car / a red car / a slow car ahead / a car turns left / the car ahead brakes / a car comes the other way
    a car behind me honks / an oncoming lorry / a police car / an ambulance / a fire engine with blue lights
    a bus stops / a tram / a train passes / a motorbike / a cyclist / a cyclist ahead / a truck / a cow on the road
    a deer crosses the road / a dog runs into the street / a cat / a flock of sheep / a bird flies up / ducks
    a fallen tree / a rock on the road / a flat tyre / an oil spill / a tunnel / a bridge / a river / the sea / a beach
    mountains / a forest / a desert / a jungle / a city / a village / a motorway / a country lane / a car park
    a school / a hospital / a man sits on a bench / people wait at the bus stop / a crowd cheers / a child sleeps
    a woman waves from a window / the traffic lights fail / a stop sign / a speed camera / a petrol station
    a street musician / a market place / a house is on fire / a building collapses / a helicopter
    a plane lands on the road / a balloon / a parade / a marathon / more buildings / more trees / fewer cars
    remove all cars / paint the car blue / make the road wider / a different town
    """)
"""Other weather, other traffic, other places: what somebody may ask for and this world does not know."""

SPOKEN: tuple[str, ...] = parted("""
    hello / hi there / good morning / good night / goodbye / see you tomorrow / thank you / thanks a lot / yes / no
    okay / maybe / sorry / never mind / what? / help / hm / let me think / nice / wow / that was close / well done
    again / undo that / pause / go on / reset / begin again / rewind ten seconds / record a film / stop recording
    save this / quit / exit / show the twin / test / testing one two three / one two three four / blah blah blah / asdf
    qwertz / xyzzy foo bar / lorem ipsum dolor sit amet / la la la / aaaaaaa / ??? / 42 / 3.14159 / a b c / hello world
    the quick brown fox jumps over the lazy dog / I am hungry / I'm tired / I like you / my name is Anna
    I live in Leeds / I lost my keys / call my mother / what's for dinner / it is raining money
    it never rains but it pours, they say / the rain in Spain stays mainly in the plain / singing in the rain
    right as rain / take a rain check / a rain of arrows / my mind is foggy / I haven't the foggiest idea
    lost in the fog of war / brain fog / a fog horn / the night is young, let's dance / night school
    a night at the opera / a good night's sleep / silent night, holy night / the dark side of the moon / a dark secret
    I am in the dark about it / dark chocolate / sunset boulevard / from dusk till dawn is a film / the twilight saga
    evening dress / the evening paper / happy evening to you / clear the table / clear your mind / is that clear?
    crystal clear, thanks / clear the screen / a sunny disposition / you are my sunshine / sunny side up
    under the weather / cut the cake / cut the grass / cut it out / cut to the chase / cut me a slice / a paper cut
    he cuts hair / cut costs / cut the rope / cross your fingers / cross my heart / don't be cross / a crossword puzzle
    a pedestrian style of writing / cross out that word / hard work pays off / it works / does it work? / work from home
    the construction of the sentence / under construction is the web site / an ice cream cone / home works / road trip
    a road movie / hit the road / the road to success / all roads lead to Rome / the car of my dreams / a car salesman
    buy a new car / sell the car / wash the car / my car is old / a toy car / insurance for the car
    rent a car in Italy / the stock market fell / she plays the piano / water boils at a hundred degrees
    Paris is the capital of France / the cat sleeps on the sofa / he reads a newspaper / the meeting is at three
    send an email to Peter / book a table for two / add milk to the shopping list / set a timer for five minutes
    translate this into German / what is two plus two / tell me a joke / read me a story / who won the match?
    how tall is Everest? / the bill passed in parliament / bonjour, comment ça va / guten Tag / hola amigo
    ich möchte nach Hause / the train was late again / pass me the salt / the children play football in the garden
    grandmother bakes a cake / the film was boring / we went swimming / a cup of tea / the soldier marched
    the photograph is blurred / wear a raincoat / where is my umbrella / sunglasses suit you / a desk lamp
    a work of art / workers of the world, unite / the workers are on strike / a walk in the park / walking is healthy
    I walk to school / he runs a company / run the program / run faster / jump / dance / sleep / eat / banana / table
    democracy / photosynthesis / keyboard / Tuesday / purple / seventeen / love / nothing / everything
    something happens / do something / make something happen / surprise me / change the world / another one / more
    less / faster / bigger / louder / higher
    """)
"""Talk, turns of speech and other wishes."""

MORE: tuple[str, ...] = parted("""
    please turn to the left / drive a bit faster / hit the brakes / hurry up / take it easy / change to the right lane
    pull up at the kerb / go home / avoid that truck / don't let it become night / please no sunset
    I do not want any fog / don't you dare make it rain / let's not have rain / no cut in please / no one should cut in
    do not let pedestrians cross / I don't want road works / let there be no cones / don't make it clear
    not raining please, keep the fog / stop people crossing / does it often rain here / has it been foggy
    how dark is the night / when is dusk / what does a sunset look like / is there a pedestrian
    are there cones on the road / who is cutting in / why is the lane closed / will it be sunny tomorrow
    what's the visibility / make it snow heavily / let hail fall / a strong wind blows / lightning and nothing else
    a meteor shower / a cow walks on the road / a squirrel crosses / a bicycle ahead / a parked van / a big traffic jam
    the car ahead stops / a car overtakes me on the left and drives away / a rock falls / a bridge collapses
    the engine fails / green light / a bus at the stop / morning comes / dawn breaks / make it winter / more traffic
    more people on the pavement / an ambulance with siren / how are you / tell me about yourself
    nice weather we had last summer in Rome / order a pizza / what is the meaning of life
    I love the smell of rain on my roses / my brain is foggy today / night owl / he worked all night / a dark horse
    clear as mud / cut my hair / cross the t / working hard or hardly working / my roof is leaking
    sunset at the beach bar with friends was great / she is a ray of sunshine / the fog machine at the club / umbrella
    a raincoat for my dog / construction paper / the walking dead / a pedestrian city centre / lane / road / car
    sun moon and stars / the driver is tired / the weather / weather / time / pedestrians and cyclists share this path
    workers got a pay rise / barrier reef / pick up the phone / open the pod bay doors / zzz / 12345 / hjkl / oui
    nein danke / buenas noches / I think therefore I am / the mayor opened the new library / football match tonight
    grandma crossed the ocean in 1920 / he cut me a deal / close the window / close the road map / a car show in Geneva
    my car is in the garage for repairs / a fast car / cats and dogs / bucket list / can you swim / play rain sounds
    play the song purple rain / turn on the lights / turn off the lights in the kitchen / less traffic / more lights
    more sugar / give me a beer / give me a break / I'd like a coffee / I'd like a new car / can we have music?
    can we have a break? / let the dog out / let it be / let it go / let there be peace / let's go / let's eat
    let me out / make me a sandwich / make it louder / make it bigger / make it stop / make it snow tonight
    make it blue / make a left / make way / bring me the newspaper / bring snow / send an ambulance / send a taxi
    send help / put on some music / put the kettle on / put a tree there / put a cow on the road
    put the car in the garage / add salt / add a house / add a bus stop / add a cyclist / add snow / turn it off
    turn it up / turn on the television / turn off the engine / turn the page / turn the wheel / switch to manual
    switch to second gear / switch seats / show me the map / show me the menu / show me the speed
    show me a picture of a cat / I want to go home / I want snow / I want a faster car / I want to sleep
    how about pizza / how about a drink / what about the dog / what if it snowed? / what if I crash?
    could you drive faster? / could you open the window? / can you snow? / let it hail / it is windy / it is cold
    it is hot / it is freezing / it is icy / it is late, let us go home / it is boring / it is Monday
    set the speed to eighty / set the table / set the alarm / weather report / the weather is strange / what weather
    bad luck / climate change / temperature / humidity / thermometer / barometer / atmosphere / season / sky / cloud
    the sky / sun / moon / a star / the stars of the film / light / lights / lamp / traffic lights / street / the road
    my lane / two lanes / a car / cars / the car / the driver / driver / passenger / people / person / a man / a woman
    a child / children / walking / crossing / work / works / construction worker's wages / cone / an ice cream / barrier
    day / evening news / morning / tomorrow / yesterday / noon meeting / summer holidays / winter tyres / windscreen
    wiper / umbrella stand / water / glass of water / wet paint / wet towel / dry cleaning / a dry joke / dry humour
    fog lamp broken / night shift / night watchman / knight in armour / the nightingale sings / tonight we dine out
    last night was fun / yesterday night I slept badly / he worked all night long / she stayed up at night
    we danced till midnight / good evening ladies and gentlemen / every evening he reads
    in the evening we watch television / we watched the sunset from the beach / the sunset was beautiful yesterday
    the sun is a star / the sun is made of hydrogen / sunscreen / sunburn hurts / sunflower seeds / sunday roast
    a sunny personality / sunny beach holiday offer / the weather was nice on our holiday
    it rained all week in Scotland / the rain ruined our picnic / the rainforest is dying / rain boots for kids
    rainwater tank / a rainbow flag / the fog in San Francisco is famous / I read a poem about fog
    the fog cleared in his mind / visibility of the brand on social media / haze is a novel
    the police cleared the street / clear instructions / clearance sale / clear the browser cache / a clear answer
    the coast is clear / clean the windscreen / clean the car / he cut in on our conversation / she cut the ribbon
    the director cut the scene / cut the music / cut the power / the queue is long / he jumped the queue at the bakery
    they merged the two companies / merge the branches / merge the files / lane assist is active / the lane is wide
    the car behind me / the car in front is slow / a car drives past / a car drives by / a car passes me
    a car overtakes / a car waits at the light / a car stops ahead / a car honks / a car turns right
    a car leaves the lane / a car goes the other way / the lorry is red / a taxi is waiting / traffic is light today
    there is a lot of traffic / other drivers are friendly / my brother drives a van / she parked in my space
    the accident happened at noon / a crash ahead / a collision / somebody hits me from behind / tailgating
    a car tailgates me / road rage / a car drives in the wrong direction / a convoy / race against another car
    I overtake the van / I cut him off / let me cut in / I pull out / I change to the fast lane / pedestrian zone
    pedestrian bridge / pedestrian rights / a pedestrian waits on the pavement / people on the pavement
    people stand at the corner / a man waits / a woman sits in a cafe / a cat crosses the road / a dog crosses
    a horse on the road / ducks cross the road / a bear / a fox / a hedgehog / a bicycle crosses / a cyclist crosses
    a train crosses the street / a bike overtakes me / a skateboarder / a statue / a crossroads / crossing the Atlantic
    he crossed the finish line / she crossed her legs / cross-country skiing / the plot crosses genres / walk the dog
    a walk on the beach / I go for a walk / the child sleeps / a child cries / children sing / the woman reads
    the man laughs / a person of interest / missing person / personal data / the road crew of the band
    the road goes on forever / a fork in the road / the road is icy / the road is slippery with ice / the road is empty
    the road narrows / a bumpy road / a toll road / a gravel road / a road sign / a speed bump / a pothole
    the bridge is closed / the shop is closed / the airport is closed / the case is closed / the door is blocked
    my account is blocked / writer's block / block this number / close the app / closed on Sundays
    the building is tall / the house was built in 1900 / build a house / build a snowman / he builds furniture
    repair my bicycle / the washing machine is being repaired / fix the bug / dig a hole in the garden / gardening
    an orange / a fence / dress code / it does not work / a worker bee / the work is done / working late
    working from home is nice / at work / team work / homework / a frame of wood / network / artwork
    fireworks over the town / remove the car / remove the pedestrian / remove the people / remove the houses
    remove this / take it away / stop it / stop that / stop the traffic / stop the film / stop the night / end the night
    end the drive / end of story / finish / stop the sunset / stop the car from cutting in / stop the roadworks
    finish the roadworks / open the road / open the road again / get rid of the cones / get rid of that car
    get rid of the pedestrian / get that man off the road / less rain / less fog / a little less dark / lighter / darker
    warmer / drier hair / slower / quicker / nearer / farther / that's enough / enough is enough / not that / not now
    no thanks / no way / no idea / no problem / no entry / no parking / no overtaking / no U-turn / no speed limit
    none of your business / I don't know / I don't care / I don't understand / I can't hear you / I can't drive
    I can't stop / don't stop / don't worry / don't brake / don't crash / don't drive so fast / don't turn
    don't do that / never say never / nobody knows / nobody is here / the economy is slowing / prices are falling
    temperatures are falling / the leaves are falling / London Bridge is falling down / night vision goggles
    dark mode in the settings / the screen is dark / the screen is too bright / brightness / contrast / resolution
    frame rate / volume / mute / full screen / the picture is blurred / the picture is grey / the image is noisy
    it looks strange / I see nothing / I see a house / I see a red roof / there is a tree / look at that house
    what a nice town / this town is ugly / where do these roads lead / who lives here / left / right / straight
    forward / backward / up / down / north / go / halt / fast / slow / again please / one more time / next / previous
    next town / new world / load another town / restart / start / menu / settings / options / language / login
    password / click here / subscribe / like and share / buy now / add to cart / Shakespeare wrote Hamlet
    the moon orbits the earth / the earth is round / seven times eight / the square root of nine / gold is expensive
    my tooth aches / the baby is asleep / the milk is sour / the phone rings / the door bell / he plays chess
    we won the game / the concert was sold out / the museum opens at ten / the plane is delayed / pack your bags
    the hotel has a pool / a room with a view / the soup is hot / bake a cake / boil an egg / recipe for pancakes
    a glass of wine / feed the cat / the dog barks / bees make honey / the river flows / the ship sails / she sings well
    he paints the wall / the teacher explains / the exam is hard / I study physics / a chemical reaction
    the patient recovers / the doctor is in / take two pills / the president speaks / the election is over
    the law was changed / taxes are due / the bank is closed today / open a bank account / transfer ten pounds
    what is the time in Tokyo / write a letter / call a taxi to the station / print the page / the printer is jammed
    restart the computer / install the update / my code does not compile / merge conflict
    """)
"""More of all kinds, many of them one word or one verb away from an event."""

FIGURES: tuple[str, ...] = parted("""
    it's pouring with applicants / when it rains, money falls / rain or shine we deliver / a rain of criticism
    rain dance class / the rain man / a foggy excuse / fogged glasses / his future is hazy / hazy recollections
    the mists of history / mist spray for the hair / night after night he wrote / night nurse / night club
    overnight delivery / an overnight success / midnight snack / midnight in Paris, the film / a knight's tale
    black market / blackout drunk / dark humour / dark matter physics / in the dark web / afraid of the dark
    a leap in the dark / starry-eyed lovers / star wars / movie star / evening class / evening gown / twilight years
    the sun newspaper / ride into the sunset, cowboy / golden opportunity / the golden age of radio
    horizon 2030 strategy / a bright idea / a bright student / a clear conscience / clear the air between them
    in the clear / clear cut decision / clear profit / blue sky thinking / out of the blue / cloud computing
    cloud storage / on cloud nine / fair enough / fair play / fine, thanks / dry run / dry wine / dry cough
    high and dry / summer sale / cut and paste / a short cut / cut loose / cut back on coffee / cut him some slack
    power cut / tax cut / final cut / clear cut / he cut me short / cut off the crusts / merge the cells
    lane in the bowling alley / drive a nail in / drive up the price / driving force / back seat driver / hard drive
    cars and trucks are toys / cross examination / cross with me / crossed wires / cross country / crosses and circles
    the red cross / walk of fame / walk on water / walk through the list / run for office / runner up
    step up your game / step by step / people skills / people person / street food / street smart / road map for peace
    road show / roadworthy / road block in the talks / one for the road / middle road / nuts and bolts at work
    nice work / works council / work out / work of fiction / the works department budget / construction of an argument
    constructive criticism / building trust / building blocks / close call / closed minds / close the deal / close to me
    block buster / block chain / barrier to entry / language barrier / sound barrier / dig deep
    dig in, dinner is ready / repair a friendship / fix me a drink / patch it up / lay the table / lay off
    turn off the lights in the hall / turn off the lamp / turn off the tap / lights off in the bedroom
    switch off the lights / put out the candle / water the lawn / pour the tea / pour some milk / a cold shower
    shower curtain / bridal shower / soak in the bath / wet the brush / drip coffee / drizzle with honey
    storm out of the room / brainstorm / a storm in a teacup / perfect storm of problems / take by storm / weather app
    weatherman / weather vane / weathered wood / under the sun / sun cream / sun lounger / sunglasses
    """)
"""Turns of speech and compounds that hold an event's words and mean none of it."""

KEPT: tuple[str, ...] = parted("""
    keep the fog / keep it foggy / keep it raining / keep the night / keep it dark / keep the sunset
    keep the roadworks / leave the fog / leave the rain on / leave it dark / leave the weather as it is
    leave the cones where they are / let the rain stay / let it stay night / let the sun stay up / let the rain go on
    don't change the weather / fog? no thank you / night? no / sunset? rather not / pedestrians? please no
    a cut-in? no way / roadworks? not again / snow instead of rain / not the rain, please / not the fog again
    no more pedestrians / no more roadworks / no more cars cutting in / no more cones / no more construction
    no more cut-ins / no more night / no more darkness / enough night / enough of the darkness / enough roadworks
    enough pedestrians / that's enough cutting in / end the roadworks / end the construction / end the dusk
    stop the cut-in / stop the pedestrian / stop the night drive / remove the roadworks / remove the barriers
    remove the construction site / remove the workers / remove all pedestrians / remove the pedestrian from the road
    get the people off the street / take the cones off the road / take away the cones / take away the barriers
    clear the construction site / clear the road of people / clear the lane / clear the cones / reopen my lane
    unblock the lane / make the car in front go away / make the pedestrian go away / make the cones disappear
    make the workers leave / let the pedestrian go back to the pavement / let the road be free / let my lane be open
    a free lane / an open road / a road without cones / a street without people / all lanes are open / nobody in sight
    do not make it foggy again / I do not want night / I don't want any pedestrians / I do not want to be cut off
    I don't want to see any construction / I'd rather not see a sunset / I would rather have no fog
    I'd hate a sunset now / no evening please / no dusk / no rain today please / no fog today / no night now
    no car in front of me / no drivers cutting in / no roadworks here / no workers on the road
    please don't close the road / please don't let people run across / please don't make the sun go down
    please do not rain / please no pedestrian now / please no roadworks / please no darkness
    please not another cut-in / it mustn't rain / it shouldn't be foggy / it should not be dark
    it should not get dark / there should be no fog / there should be no rain / there should be no roadworks
    there should be nobody on the road / there must be no cones / nobody on the road / nobody is to cross
    nobody should cross / not a single pedestrian / never again roadworks / cancel the night / cancel the roadworks
    cancel the pedestrian / cancel the cut-in / undo the night / undo the cut-in / turn off the roadworks
    switch off the pedestrians / disable pedestrians / disable cut-ins / pedestrians = 0 / deactivate the cut-in
    cut-in: off / roadworks: off / without construction / without darkness / without a cut-in / hold off the rain
    hold the fog / hold back the night / prevent the rain / prevent fog / avoid the rain / avoid fog / skip the sunset
    skip the pedestrian / skip the rain / forget the fog / forget about the rain / forget the roadworks
    anything but roadworks / anything except rain / less construction / fewer cones / fewer pedestrians / fewer people
    """)
"""Events that are not wanted, or that are to stay as they are."""

STATED: tuple[str, ...] = parted("""
    rain forms when water vapour condenses / rain falls mostly in winter here / rain is good for the farmers
    rain fills the reservoirs / the rainy season begins in June / the rainfall was measured in millimetres
    it rains more in Bergen than in Rome / it rained for three days in a row / it rained during the concert last night
    the rain last week flooded the cellar / acid rain harms the trees / raindrops fall at thirty kilometres an hour
    a rain gauge collects water / heavy rain caused the river to burst its banks last year
    the match was cancelled due to rain / the roof leaks when it rains / clouds are made of tiny droplets
    thunder follows lightning / storms are named in order / the storm cut the power to ten thousand homes
    a drought hit the region / meteorologists study clouds / the weather forecast was wrong again
    the forecast says rain on Friday / the forecast says fog in the valleys tomorrow
    the weather in Norway changes fast / weather affects our mood / the climate gets warmer
    fog consists of water droplets / fog forms over cold water / fog delayed thirty flights at Heathrow
    fog is common in the Po valley / the ship sank in the fog in 1914 / San Francisco calls its fog Karl
    mist is thinner than fog / smog was a problem in Beijing / fog lamps are required by law in some countries
    visibility is given in the airport report / the lighthouse guides ships in fog
    night lasts six months at the pole / nights are longer in winter / at night the temperature drops
    bats hunt at night / hedgehogs are active at night / most crimes happen at night
    night trains run from Vienna to Paris / the shop is open all night / the factory works through the night
    the night bus leaves at two / stars are far away suns / the stars were visible to the sailors
    the moon has no atmosphere / the moon landing was in 1969 / a full moon was on Tuesday
    the clock struck midnight in the story / Cinderella left at midnight / darkness is the absence of light
    cats can see in the dark / the cave was dark / the room was dark and cold / the cellar is dark
    street lamps use LEDs now / street lighting costs the town a lot / headlights became mandatory
    sunset was at six yesterday / sunset is earlier in winter / the sun sets in the west
    the sun sets earlier each day in autumn / the sun rises in the east / sunlight takes eight minutes to reach us
    the sun warms the earth / the sun will burn for five billion years / twilight is longer in the north
    deer move at dusk / dusk is a dangerous time for drivers, experts say / mosquitoes come out at dusk
    the evening show starts at eight / the restaurant opens in the evening / the shops close early in the evening
    golden hour is loved by photographers / the sky appears blue because of the air / blue light is scattered more
    clear skies are rare in Bergen / sunny days are good for solar power / Spain has three hundred sunny days a year
    the summer was dry and hot / the weather was fine at the wedding / the desert is dry / dry air makes static
    the high pressure brings fine weather, said the presenter / pedestrians are vulnerable road users
    pedestrians must use the footbridge / a pedestrian was hit last night / the pedestrian was taken to hospital
    pedestrians walked along the river / more people walk to work these days
    crossing the road is dangerous for toads / children learn to cross the road at school
    zebra crossings were invented in Britain / jaywalking is a crime in some states / the law protects pedestrians
    people in cities walk faster / walking burns calories / she crossed the street to buy bread
    he was crossing the road when they met / my grandmother crossed the road yesterday
    the lollipop lady helps the school children every day / the old man told us a story / the child was found safe
    a man was arrested on Sunday / a woman won the lottery / people live longer than before
    the crowd watched the match / cutting in causes many accidents / the driver who cut in was fined
    he cut me off on the motorway last week / a taxi cut me up this morning on the way here
    drivers must signal before changing lanes / lane changes need care / lane keeping assistants are common now
    merging traffic must give way / the lorry driver fell asleep in Ohio / tailgating is dangerous
    drivers in Italy are fast / traffic in London is slow / the car was invented in 1886 / cars have four wheels
    electric cars are quiet / car sales went up / vehicles must be inspected every two years / the van was stolen
    the truck carried apples / a lorry overturned on the M1 yesterday / the taxi driver was kind
    roadworks are planned for next spring / the roadworks on the A5 were finished early
    road works cost the state millions / the bridge is being built since 2019 / the road was built by the Romans
    the road was resurfaced in 2012 / the council wants to repair the pavement
    the council repairs potholes every spring / asphalt is recycled / concrete hardens slowly
    traffic cones are made of plastic / the cone was invented in 1943 / a cone is a solid with a round base
    construction workers earn more now / construction of the airport took years
    the construction industry is in trouble / workers built the canal by hand / the workers went home at five
    the company builds roads in Africa / the tunnel is closed on Mondays / the mountain pass is closed in winter
    the motorway was closed after the accident / lanes are three metres wide / bus lanes speed up buses
    a detour cost us an hour yesterday / excavators weigh twenty tonnes / the digger is yellow and made in Japan
    barriers protect the crowd at concerts / the barrier at the car park was broken / the tarmac melted in the heat
    a pothole damaged my wheel / the highway runs along the coast / the ring road is busy
    the speed limit was lowered / accidents are fewer than ten years ago / winter tyres grip better in snow
    wipers should be replaced once a year / tyres lose grip on wet roads / brakes work worse on wet roads, tests show
    in heavy rain drivers should slow down / in fog you should keep your distance / in the dark the eyes get tired
    at dusk you should switch on your lights / near schools drivers should slow down / at roadworks the limit is sixty
    rain is wet / rain comes from clouds, says the book / rain is part of the water cycle / snow is frozen water
    """)
"""Facts and tales of weather, hours, roads and people on foot: told, not wished for."""

CHATTED: tuple[str, ...] = parted("""
    I love the rain / I like fog / I like the night / I like driving at night / I love a good sunset / I like evenings
    I hate fog / I'm scared of the dark / I don't like the dark / rain makes me sad / fog makes me nervous
    sun makes me happy / the rain reminds me of home / fog reminds me of Scotland / I remember that foggy day in March
    I remember the rain in London / yesterday it rained all day / last night it was dark early / last summer was sunny
    last winter was grey / it was foggy at home / it was raining when I left the house
    it was a sunny day when we married / it was night when we arrived in Prague / we had a lot of rain this year
    we had nice weather in Portugal / we watched the stars on the roof / we saw the sunset in Greece
    we got stuck in roadworks for an hour / we walked home in the rain / we met at sunset
    we drove through fog last week / somebody cut me off yesterday and I was angry / a taxi driver cut me off once
    some idiot cut me off on my way to work / I always get cut off on the ring road / my neighbour is a bad driver
    my boss is a rude driver / my uncle is a lorry driver / my brother repairs roads
    my father was a construction worker / my sister walks to school / my son loves diggers
    my daughter is afraid of thunder / my dog hates the rain / my street was dug up last month
    my street is noisy at night / they are building a house next to ours / they repaired our street last year
    the neighbours are digging a pool / there was construction noise all morning / there was fog on the way here
    there was a nice sunset yesterday / I crossed the road to say hello / I walk across the bridge every day
    I was nearly hit at a crossing / I walked in the dark / I slept badly last night / I stayed up until midnight
    I work at night / I get up at three in the morning / I go to bed at ten / I'll see you tonight / see you tonight
    see you at midnight / see you this evening / see you at dusk / until tomorrow evening / let's meet in the evening
    let's have dinner tonight / let's go out tonight / let's go for a beer this evening / meet me at noon
    meet me at the crossing / wait for me at the zebra crossing / I'll be home before dark / I'll be back by evening
    good night everyone / have a nice evening / have a nice day / have a sunny weekend / enjoy your evening
    enjoy the sunshine in Malta / what a night / what a day / what a sunset that was / what a rude man
    what lovely weather / such lovely weather today / nice day, isn't it / lovely day today, isn't it
    lovely weather for ducks / looks like rain, my knee hurts / it might rain tomorrow / it may rain on Sunday
    maybe it rains next week / I think it will rain on Saturday / I hope it stays dry for the barbecue
    I hope the weather holds for our trip / I hope the sun shines at your wedding / I wonder whether it will rain
    I wonder why it is foggy / I don't know if it is night there / guess how dark it was / tell me about the rain
    tell me about fog / tell me a story about the night / tell me when the sun sets / tell me how roads are built
    explain fog to me / explain how rain forms / describe a sunset / describe the weather / describe the road
    describe what you see / talk about the weather / say rain / say good night / write a poem about rain
    write about the sunset / sing about the sun / draw a sunset / paint a rainy street / take a picture of the sunset
    take a photo of the fog / show me a photo of the moon / count the cones / count the pedestrians / count the cars
    name the stars / spell fog / translate rain into Spanish / buy an umbrella / bring an umbrella
    take your raincoat / put on your sunglasses / dry your hair / I got wet / I am soaking wet / my shoes are wet
    my glasses are fogged up / my eyes are tired of the dark / my head is cloudy / the mirror is fogged up
    the rain was nice / the fog was great, thanks / the sunset was pretty / the pedestrian was funny
    that cut-in was scary / that was a good sunset / that rain looked real / that was dangerous / he almost hit me
    he drives like an idiot / she drives well / did well in the fog / I crashed because of the fog
    I missed the pedestrian / I hit a cone / I hit the barrier / I hit the pedestrian / I did not see the pedestrian
    I did not see him coming / I saw a pedestrian there earlier / I saw cones back there / I saw that car
    I see the car / I see a pedestrian on the pavement / I can see the moon on your wallpaper
    the weather looks good in this game / the rain effect looks fake / the fog rendering is slow
    the night looks too dark on my display / make the picture brighter / make the image darker
    make the screen lighter / lower the brightness / less contrast / more contrast / zoom in / zoom out / closer
    change the camera / look left / look back / show the back view / show the score / hide the text
    turn on dark mode / switch the app to dark mode / night shift on my phone / do not disturb at night
    set an alarm for midnight / wake me at dusk / remind me this evening / remind me when it rains / text me tonight
    book a night train / book two nights in a hotel / play night music / play the sound of rain
    play moonlight sonata / play a song about the sun / play here comes the sun / order a night cap
    order a taxi for midnight / call the road crew / call a construction company / hire workers / hire a driver
    what would you do at night / I want to be a construction worker / I want to walk / I want to sleep at night
    I want a new road bike / I'd like an evening dress / I'd like sunglasses / I'd like a walk
    could you cut the onions / can you cut my hair / can you cross your eyes / can we cross here / can we walk
    can we stop for the night / can we find a hotel for the night / can I cross the road here
    can I cut in front of him / shall I cut in / should I let him in / let him in / let her in front of you
    let them pass / fog makes me shiver, honestly / I'll be back at sunset / I'll call you at dusk
    we leave at sunset / we leave at night / she arrives in the evening
    """)
"""Small talk in which the words of events turn up."""

HANDLED: tuple[str, ...] = parted("""
    brake for the cones / brake for the child / brake, there is someone / slow down for the roadworks
    slow down for the pedestrian / slow down in the rain / slow down in the fog / slow down at the crossing
    stop for the pedestrian / stop for the children / stop at the crosswalk / stop at the construction site
    stop at the barrier / stop in front of the cones / stop, a child / wait for the pedestrian
    wait for the pedestrians to pass / wait until she is across / wait till the lane is free / let the man go first
    let the lady pass / let the car in / let the van merge / let that car pass / give the pedestrian room
    steer around the cones / steer around the pedestrian / steer past the roadworks / go around the construction site
    drive past the construction site / drive past the workers slowly / drive through the cones / drive over the cones
    pass the roadworks on the left / pass the construction zone / follow the detour / take the detour
    take the diversion / find a way around the roadworks / avoid the cones / avoid the pedestrian
    avoid the hole in the road / avoid the puddle / avoid that man / swerve around him / swerve to the left
    evade the car / dodge the car that cuts in / dodge the cones / hit the pedestrian / run over the cones
    don't run anyone over / watch out for pedestrians / watch out for the child / watch out for cones
    watch the car on the left / watch the car that merges / mind the workers / mind the pedestrian
    look out for roadworks / look for pedestrians / be careful in the fog / careful at night
    drive carefully in the rain / drive slowly in the fog / drive slower at night / drive faster in the rain
    drive without lights / switch the wipers off / wipers off / turn on the fog lights / turn off the fog lights
    switch on the fog lamps / fog lights off / rear fog light on / turn on the high beams / lights on / headlights on
    headlights off / switch on the headlights / turn the headlights off / switch on the low beam / full beam
    dipped headlights / interior light on / turn on the dashboard lights / close the sunroof / open the sunroof
    close the windows, it may rain / put down the sun visor / heat the windscreen / defog the windscreen
    demist the windows / turn on the defroster / clean the headlights / close the roof / honk at the pedestrian
    honk at that car / honk at the driver / beep at the workers / flash at the car that cut in
    flash your lights at him / wave at the pedestrian / yield to pedestrians / yield to the car
    yield to the merging car / overtake the car that cut in / overtake the taxi / overtake before the roadworks
    overtake in the right lane / get in front of that car / go in front of the van / cut in front of the taxi
    cut in before the lorry / cut him up / cut off that car / cut off the truck / squeeze in between the cars
    squeeze in front of the bus / squeeze past the cones / pull in behind the truck / pull in here / pull out now
    pull out into traffic / merge left / merge right / merge now / merge behind the van / merge before the lane ends
    change into the right lane / change to the other lane / change lanes before the cones / change lanes now
    move to the next lane / move over / go to the left lane / use the other lane / get into the other lane
    leave the lane / stay in my lane / keep in lane / keep off the pavement / drive on the pavement / cross the road
    cross the street / cross the line to overtake / cross the railway / drive across the crossing
    drive across the bridge / drive into the construction site / drive to the road works depot
    drive on through the night / drive through the puddle / drive towards the sun / drive to the west
    drive into the sun / drive to the beach / drive home before dark / let us drive home / drive me home tonight
    stop for the night / stop until the rain ends / stop when it gets dark / park until the fog lifts
    wait until the fog is gone / wait for better weather / keep going in the rain / keep going through the fog
    keep driving / keep your lane / keep behind the car / keep the speed / increase the gap / close the gap
    leave a gap / keep a gap to the car in front / brake when someone cuts in / brake hard / react to the pedestrian
    react to cut-ins / detect pedestrians / detect the lane / follow the lane / follow the cones / change my lane
    let me switch lanes / I'd like to overtake / I want to merge / I want to pull out / let me merge
    """)
"""What a driver tells a car where an event is under way."""

OTHERS: tuple[str, ...] = parted("""
    weather = snow / weather: hail / weather: windy / set the weather to snow / set weather to storm with hail
    simulate snow / simulate ice / simulate a traffic jam / simulate a crash / simulate an accident / simulate wind
    simulate morning / trigger snow / trigger an accident / trigger a crash / trigger an ambulance
    trigger a traffic light / trigger a breakdown / spawn a cyclist / spawn a dog / spawn a truck / spawn more cars
    spawn traffic / spawn a tree / spawn a building / event: snow / event: crash / event: cyclist / event: traffic jam
    next: snow / next event / random event / any event / time of day: morning / set time to dawn
    set the time to morning / switch to morning / switch to winter / change to winter / change the season
    change the city / change the car / change the road / change the colour / change the music / change it
    let's have snow / let's have a sunrise / let's have a traffic jam / let's have a race / let's have lunch
    let's try snow / I want a sunrise / I want dawn / I want morning light / I want a snowstorm / I want hail
    I want wind / I want ice / I want a cyclist / I want a deer / I want a dog on the road / I want more traffic
    I want a crash / I want an accident / I want mountains / I want a bridge / I want a tunnel / I want a bus
    I want a tram / I want a motorway / I want spring / I'd like snow / I'd like a cyclist / I'd like some traffic
    I'd like it windy / I'd like a sunrise / I'd like a faster road / give me snow / give me a snowy road
    give me a sunrise / give me a traffic light / give me an empty street / give me wind / give me a crash
    give me oncoming traffic / give me a cow / give me a rainbow / give me a hill / give me a challenge / show me snow
    show me a sunrise / show me a cyclist / show me the sea / show me a forest / show me something new
    can we have snow / can we have a sunrise / can we have wind / can we have a traffic jam / can you make it snow
    can you add a cyclist / can you add traffic / can you add trees / could you make it colder / could it snow
    could you add a dog / could we have a storm of snow / how about snow / how about a sunrise
    how about a dog on the road / how about a crash / how about an ambulance / what about ice / what about a bus
    please snow / please make it snow / please add traffic / please make it morning / please add a bicycle
    please make it windy / please add trees / make it dawn / make it sunrise / make it early morning
    make the sun come up / let the sun come up / let the day begin / let the morning come / let the day break
    daybreak / first light / crack of dawn / morning light / a new day begins / sun up / at dawn / at sunrise
    morning sun / the sun climbs / the sky gets lighter at dawn / morning has broken / seven in the morning
    six a.m., the birds sing / breakfast at nine / make it ten in the morning rush / lunchtime / snowfall / snow falls
    snowy / snowy road / snowy weather / snowflakes / heavy snow / light snow / snowstorm / snow drifts
    it's snowing hard / it starts snowing / sleet / slush on the road / hail falls / hailstones / icy road / ice
    freezing cold / frosty morning / frost on the windscreen / glazed frost / the road freezes / slippery ice / windy
    stormy wind / gale / a storm without rain / strong wind / a breeze / gusts / a whirlwind / dust / a dust storm
    dust in the air / sand on the road / smoke / smoke over the road / a fire / a forest fire / ash / pollen
    leaves on the road / leaves blow over the road / cloudy / cloudy sky / cloudy weather / overcast / grey sky
    a few clouds / more clouds / dark clouds / white clouds / clouds gather / clouds move in
    cover the sun with clouds / a flash of lightning / thunder / thunder rolls / a rainbow appears / a heatwave
    hot weather / cold weather / humid air / mild weather / warm weather / change the temperature / flood
    a flooded road / the river floods the road / high water / a wave / a broken water pipe / a fountain / a lake
    a meteor / a shooting star / a UFO / a satellite / an eclipse / northern lights in the sky / a laser show
    neon signs / more street lights / brighter street lights / turn off the street lamps / a power cut in the town
    Christmas lights / a cyclist crosses the road / a cyclist comes / a cyclist in my lane / a cyclist swerves
    a bike in front of me / a bicycle in my lane / a motorbike overtakes / a motorcycle ahead / a scooter
    an e-scooter on the road / a skater / a horse crosses / a horse rider / a cow crosses the road / cows on the road
    sheep cross / a goat / a wild boar / a deer on the road / a deer jumps in front of the car
    a dog crosses the street / a dog chases a cat / a stray dog / a cat runs across / a rabbit on the road
    a fox crosses / a squirrel runs over the road / a duck family crosses / a moose / a bear crosses the road
    a kangaroo / an elephant / a snake / a bird hits the windscreen / pigeons / a hedgehog crosses
    a ball on the road / a box on the road / a suitcase on the road / a tyre on the road / debris on the road
    glass on the road / a lost load / a mattress in my lane / a rock in my lane / a branch on the road / a tree falls
    a fallen sign / a broken-down car / a broken-down car in my lane / a car with a flat tyre / a stopped car
    a stopped bus / a stopped truck / a car stands in my lane / a parked truck blocks my lane / a car parks
    a car reverses / a car backs out / a car door opens / a car accelerates / a car brakes / a car brakes ahead
    a car brakes hard in front of me / the car in front stops / the car in front brakes / the car ahead slows down
    the car ahead turns / the car ahead is too slow / a slow truck ahead / a slow tractor / a tractor / a caravan
    a car with a trailer / a tow truck / a rubbish truck / a milk float / a street sweeper / a car behind me
    a car follows me / a car tailgates / a car flashes its lights / a car honks behind me / a car overtakes us
    a car passes on the left / a car passes by / a car comes towards me / a car on the wrong side / a wrong-way driver
    a ghost driver / an oncoming car / oncoming cars / an oncoming truck in my lane
    a car from the opposite direction / a car runs a red light / a car ignores the stop sign / a car at the junction
    a car turns in front of me at the junction / a car crashes / a car crashes into a tree / a car hits me
    a car hits me from the side / a car spins / a car rolls over / a car burns / a car explodes / a flying car
    a car leaves the road / a car leaves my lane / a car exits / cars queue / cars ahead / cars everywhere
    cars jam the road / more cars / many cars / no cars / fewer vehicles / a queue of cars / stop and go traffic
    dense traffic / light traffic / a blocked junction / gridlock / a dead end / a police block / a police check
    a police officer stops me / a police car with sirens / sirens / a speed trap / a toll station / a border
    a level crossing / a level crossing closes / a train comes / a tram in my lane / a bus in front of me
    a bus stops in front of me / a school bus stops / a fire truck / a fire engine passes / an ambulance behind me
    a person on the pavement / a person waits at the crossing / a person stands on the kerb / people on the sidewalk
    people at the bus stop / people wait / people talk / people dance / people in a park / people in the windows
    people in cars / a pedestrian on the pavement / a pedestrian waits / a pedestrian walks along the pavement
    a pedestrian stops and waits / a jogger in the park / a jogger on the pavement / a child on the pavement
    a child waves / children on the playground / a child in the back seat / a man in a car / a man reads
    a man stands by a shop / a man sells newspapers / a man smokes / a woman in a window / a woman waits
    a couple kisses / a beggar / a hitchhiker / a policeman on the corner / a clown / a juggler / a crowd
    a demonstration / a festival / a funfair / a circus / a football match / a school trip in a museum
    a traffic light / a red light / a yellow light / the traffic light breaks / a stop sign ahead / a give way sign
    a speed limit sign / a sign to London / a petrol station ahead / a rest stop / a car wash / a garage / a hotel
    a church / a castle / a factory / a supermarket / a new building / a skyscraper under construction
    a house being built / a crane / scaffolding on a house / a house gets painted / a park / a field / a farm
    a vineyard / a palm tree / flowers / a sharp bend / a curve ahead / a hairpin / a hill / a slope / a bumpy surface
    a pothole in the road / a crack in the road / speed bumps ahead / a narrow bridge / a narrow street / a wide road
    a longer straight / a one-way street / a side street / an intersection / a crossing without people
    an empty crosswalk / a bike lane / a bus lane / another lane / three lanes / widen the road / remove the trees
    plant a tree / build a bridge / build a tower / build a wall / paint the houses / make it summer / it's summer
    in winter / make it autumn / autumn / fall colours / golden autumn leaves / autumn leaves on the trees
    office workers / a car rams me / a car rams me from the rear / a crash blocks the road / an accident in my lane
    a wreck in my lane / a pile-up
    """)
"""Other weather, hours, traffic, beasts and places, asked for in the words in which events are."""

TURNED: tuple[str, ...] = parted("""
    rain on your wedding day is luck / rain maker of the firm / a rain of kisses / rain of blows / raining compliments
    money rains from heaven for them / tears fell like rain / into every life some rain must fall / chase rainbows
    Rain Man won four Oscars / purple rain by Prince / have you ever seen the rain, the song
    set fire to the rain by Adele / a rain delay in baseball / rain bonnet / rain gutter / rain dance / rain forest
    rain barrel / rain cheque for dinner / pour your heart out / pour oil on troubled waters / pouring money into it
    poured concrete / poured himself into work / a shower of praise / shower her with gifts / a meteor shower is due
    the baby shower is on Sunday / storm in the share market / the calm before the storm / ride out the storm
    cook up a storm / a stormy marriage / a storm of criticism / Desert Storm / get wind of it / wet behind the ears
    a wet blanket at parties / wet your appetite / slippery slope / a slippery customer / a drizzle of olive oil
    a splash of milk / splash out on a holiday / puddle of ink / soaked in tradition / drenched in sweat / fog of war
    fog machine / foggy bottom is a metro stop / foggy with sleep / a foggy notion / fog up with tears
    the fog of memory / my thoughts are foggy / his mind was clouded / cloud my judgement / head in the clouds
    a cloud of suspicion / lost in the mists of time / mist of tears / Gorillas in the Mist / a hazy afternoon memory
    hazing at college / purple haze, the song / smoke and mirrors / a smoke screen / a veil of silence
    a thick accent / thick as thieves / a blurred line / low profile / a night to remember / night of the living dead
    Saturday night live / Twelfth Night by Shakespeare / a knight at night / one night stand / first night nerves
    night cream / night light for the baby / night vision / nightmare / good nightmare story / call it a night
    make a night of it / the night watch by Rembrandt / Starry Night by Van Gogh / a night on the tiles
    ships that pass in the night / like a thief in the night / day in, day out / burn the midnight oil
    midnight's children / midnight blue paint / midnight mass / round midnight, the jazz tune / dark ages
    dark forces / a dark comedy / dark roast coffee / dark skinned grapes / dark wood furniture / a dark past
    darkness in his heart / Heart of Darkness by Conrad / pitch dark mood / left in the dark
    dance in the dark, the song / light in the dark times / black as coal / black coffee / black Friday
    lights out for the champion / light at the end of the tunnel / light years ahead / star of the show
    five stars out of five / written in the stars / reach for the stars / starry eyed / moon over Miami
    over the moon / once in a blue moon / moonwalk / honeymoon / the moon is made of cheese / sunset of his life
    sunset industries / sunset strip / before sunset, the film / the sun never sets on the empire / the sun also rises
    twilight, the novel / twilight of his career / twilight zone / the twilight hours of the party / dusk till dawn
    golden years / golden wedding / golden rule / gold rush / goldfish / red sky thinking / orange juice
    orange alert / evening star, the hotel / an evening with friends / evening out the surface / even evenings are odd
    even in the evening / on the horizon of science / horizon of expectations / fading beauty / fading memories
    low season / lower the price / sink or swim / sinking feeling / set the tone / set in stone / sunset yellow
    clear as a bell / clear as crystal / a clear winner / clear off / clear out / loud and clear / clear the decks
    clear the backlog / clear your throat / clear customs / clear the dishes / clear my name / steer clear of debt
    is the coast clear / make it clear to him / I want to be clear / let me be clear / to be clear, I disagree
    clear the air in the team / clear skies ahead for investors / blue sky research / blue sky project
    every sunny side / on the sunny side of the street / Sunny by Boney M / Little Miss Sunshine
    ray of sunshine in my life / walking on sunshine / sunshine state / sunshine law
    here comes the sun by the Beatles / a place in the sun / make hay while the sun shines / sun king
    Sun Microsystems / nothing new under the sun / sun salutation / fine art / fine by me / a fine line
    good clean fun / fair trade / fair deal / fair share / dry January / dry ice / dry eyes / dry the tears
    dry up on stage / cut and dried / weather permitting, we sail / weather beaten face / make heavy weather of it
    weathering steel / brighten my day / bright future / bright spark / cut in half / cut in two / cut in pay
    cut in salary / a cut in interest rates / cuts in education / a cut in taxes / cut in line / cut in at the dance
    may I cut in on this dance / cut in prices / the editor cuts in a close-up / cut it fine / cut it short
    cut to pieces / cut the budget / cut the cards / cut your losses / cut class / cut the cord / cut out for the job
    cut out sugar / cut off from the world / cut off the phone / cut off date / a cut-off shirt / cut up about it
    cut up the meat / cut glass / cut flowers / a hair cut / a crew cut / the director's cut / paper cutting
    cutting remarks / cutting board / cutting room / cutting class / a cutting wind of change / jump the gun
    jump the shark / jump the queue at the shop / push in at the bar / squeeze the lemon / squeeze into my jeans
    squeeze out toothpaste / merge the lists / merge two cells / a merger of banks / overtaken by events
    overtake Germany in exports / take over the firm / life in the fast lane / memory lane / stay in your lane, man
    Penny Lane / lane of pain / shift gears in life / in the slow lane / drive a wedge / drive to succeed
    drive me up the wall / drive round the bend / hard drive is full / flash drive / test drive a mattress
    vehicle for change / vehicle of expression / carpool karaoke / car boot sale / cart before the horse
    off his trolley / pedestrian prose / a pedestrian effort / pedestrian taste / a pedestrian novel
    pedestrian precinct plans / run of the mill / cross that line / cross the Rubicon / cross the threshold
    cross the floor in parliament / cross swords / cross words / cross purposes / cross stitch / cross training
    cross border trade / a cross to bear / crossing my fingers / cross your mind / crossing the desert
    crossover episode / at a crossroads in life / walk all over him / walk away / walk down the aisle / walk of life
    walk of shame / walk on eggshells / walk the plank / walk the line by Johnny Cash / walk me through it
    walking dictionary / a walkover / walk in wardrobe / run across an old friend / run into debt
    run into an old friend / run into problems / run out of patience / run out of time / run for president
    run the risk / run the show / dash of salt / step out of line / step on it / step on toes / step up
    one step ahead / man up / man of the match / child's play / kid's stuff / people pleaser / people of the book
    people carrier / person to person call / first person shooter / body count / street cred
    man in the street opinion / word on the street / Sesame Street / Wall Street fell / Abbey Road / road to ruin
    take the high road / end of the road / road tested recipes / road holding / road trip songs / road kill cafe
    the road not taken by Frost / On the Road by Kerouac / bump in the road for the team / down the road we will see
    block the caller / block the email / block party / road block in my career / mental block / stumbling blocks
    lego blocks / works every time / works of art / clockwork / the whole works on my burger / gas works / iron works
    water works / fireworks display / work of genius / work in a bank / work it out / work on my accent
    work on the relationship / work on the essay / work ahead / working lunch / working title / works outing
    team work makes the dream work / a lot of work ahead / hard work ahead for us / body of work / piece of work
    men at work, the band / dirty work / work load / work flow / workshop / workaround
    under construction, like my life / construction of identity / construct a sentence / construction kit
    reconstruct the crime / the site is under maintenance / site map / web site closed / repair the damage
    repair the trust / beyond repair / fix the date / fix the price / fix dinner / road map / dig the music
    dig up dirt / dig up old stories / dig your own grave / gold digger / a hole in my sock / a hole in one
    hole in the wall / a hole in the budget / potholes in the argument / trench coat / trench foot / ice cream cones
    pine cone / cone of silence / traffic cone on his head / barrier cream / barrier method / break barriers
    barriers to trade / glass ceiling / closed book / closed shop / closed circuit / closing time / close friends
    close shave / behind closed doors / lane closure of my heart / diversion tactics / a welcome diversion
    detour into philosophy / signs of the times / sign here / warning signs of stress / orange is the new black
    yellow vests protest / hard hat area party / all clear, captain / the all-clear was given
    have a shower before bed / a shower at the gym / shower, shave and shine / sparks rain down from the welder
    a hazy plan / a foggy plan / as different as night and day / like day and night, those two
    """)
"""More turns of speech, titles and compounds with the words of events."""

SCRAPS: tuple[str, ...] = parted("""
    Nebel bitte / es soll regnen / mach es dunkel / die Sonne scheint / ein Fußgänger / Baustelle voraus / la pluie
    il fait nuit / le brouillard / un piéton traverse / travaux / coucher de soleil / il fait beau / une voiture
    lluvia / niebla / que llueva / la noche / puesta de sol / un peatón / obras / buen tiempo / un coche / hace sol
    pioggia / nebbia / notte / tramonto / lavori in corso / un pedone / bel tempo / chuva / nevoeiro / noite / sol
    deszcz / mgła / noc / zachód słońca / yağmur / sis / gece / sade / sumua / yö / regn / dimma / natt / solnedgång
    дождь / туман идёт / пешеход / закат / 雨 / 霧 / 夜 / 夕日 / 工事中 / 晴れ / 비 / 안개 / 밤 / مطر / ضباب / ليل
    buenos días / danke schön / merci beaucoup / grazie mille / por favor / bitte / oui oui / nein / ja / si / da / nyet
    je voudrais un café / ich verstehe nicht / no hablo inglés / wie spät ist es / où est la gare
    dónde está la biblioteca / asdf asdf / sdfkjh / qwe rty / zxcvbn / wer wer wer / jkl jkl / ghghgh / rtzu / poiuy
    mnbvc / aaa bbb ccc / xoxo / bla / bla bla / blub / boing / plop / splash / zoom / vroom / vroom vroom / beep beep
    honk honk / woof / meow / moo / tadaa / foo bar / lorem / ipsum dolor / test test / test 123 / check check / one
    two / three / ten nine eight / 1 2 3 / 0 / 100 / 2024 / 10:30 / 50 km/h / 3 + 4 / x = y / i = 0 / def foo
    import os / rm -rf / cd .. / ls -l / sudo / git commit / npm install / http error / null pointer / stack overflow
    segmentation fault / hello robot / ok computer / alexa stop / hey siri / okay google / , / . / - / !? / ... ...
    :) / <3 / *** / n/a / tbd / todo / idk / omg / wtf / brb / lmao / hm hm / eh / mhm / aha / er um / rin / fgo
    nigt / dsk / nihgtmare / rane / forg / foy / frog / dog / brain / train / drain / grain / pain / plain / reign
    might / light bulb / fight / knight / sight / bite / desk / disk / duck / busk / husk / musk / clean / clever
    queer / near / cleaver / cutlery / cat / car wash / care / cart / scarf / carpet / cargo / carrot / carton
    crossbow / crossing guard / crossfit / crosstalk / walker texas ranger / pedestal / pediatrician / pedal / perm
    parson / rode / rod / row / workshop table / worker's party / workbook / worm / word / world / roadster / roadie
    coat / goat / cones of ice cream / of / to / from / with / by / at / in / on / under / between / without / however
    therefore / maybe later / sometimes / always / big / small / round / soft / hard / loud / quiet / new / old / good
    bad / ugly / happy / sad / angry / bored / strange / apple / chair / window / door / spoon and fork / guitar
    trumpet / mathematics / history / chemistry / poetry / freedom / peace / monday / friday / january / august
    yellow / white / grey / pink elephant / silver / bronze / square / circle / triangle
    """)
"""Scraps, other languages, gibberish and orders to other machines."""

DECOYS: tuple[str, ...] = tuple(dict.fromkeys(REFUSED + ASKED + DRIVING + SCENES + SPOKEN + MORE + FIGURES))
"""Those that `wmsim.serve.voice` listens for, so that other speech finds something nearer than an event."""

UNRELATED: tuple[str, ...] = tuple(dict.fromkeys(DECOYS + KEPT + STATED + CHATTED + HANDLED + OTHERS + TURNED + SCRAPS))
"""All of them."""
